// report.h: what a run comes to, for people and for machines. Pure functions of it, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "load/machine.h"
#include "load/options.h"
#include "load/result.h"
#include "load/search.h"
#include "load/verdict.h"

namespace ringwall::load {

struct Report {
  Asked asked;
  Machine machine;
  std::string started_at;      // utc_now()
  Outcome outcome;             // of the run; with --find-max of the step that stands for the search
  std::optional<Found> found;  // --find-max
  std::vector<Judged> judged;
  std::vector<std::string> remarks;
  bool interrupted = false;  // by a signal, at whatever point: of a search too

  [[nodiscard]] bool is_interrupted() const { return interrupted || outcome.interrupted; }
  [[nodiscard]] bool held() const;  // all thresholds, something was measured, and nobody ended it early
};

// The table for a terminal, at most `columns` wide where names allow it (at least 80).
[[nodiscard]] std::string table(const Report& report, unsigned columns);
// One line a step of a search, with its end of line.
[[nodiscard]] std::string step_line(const Step& step);

// Valid JSON in ASCII, whatever texts the endpoint sent. Keys are snake_case with units in their names; "format" is the
// version of them, raised when one changes its meaning or goes.
[[nodiscard]] std::string json(const Report& report);
inline constexpr int json_format = 1;

// One page that loads nothing else, with the JSON in it.
[[nodiscard]] std::string html(const Report& report);
// As it stands in a script element, which nothing within can end.
[[nodiscard]] std::string json_in_script(std::string_view json);

}  // namespace ringwall::load
