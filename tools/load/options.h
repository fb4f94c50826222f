// options.h: what the command line asks for, checked: each mistake is one sentence of what was found and what would be
// right, and what contradicts itself is refused.
#pragma once

#include <ringwall/error.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>

#include "load/plan.h"

namespace ringwall::load {

struct Flags;

struct Thresholds {
  std::optional<std::uint64_t> p99_ns;
  std::optional<double> error_share;
};

struct Asked {
  Plan plan;  // its addresses are found by reach()
  std::string mix_name;
  int pid = 0;
  bool find_max = false;  // then `thresholds` has both, and they are the bounds of the search
  Thresholds thresholds;
  std::string json_file, html_file;  // empty: none
  bool quiet = false;
};

// --help, or a mistake.
struct Ended {
  int exit_code = 0;
  std::string text;  // for standard output where exit_code is 0, else for standard error
};

inline constexpr int usage_error = 2;

// Reads a mix from its file, and looks whether what is to be written can be, but asks no network.
[[nodiscard]] std::expected<Asked, Ended> read_command_line(int argc, const char* const* argv);
[[nodiscard]] Result<Asked> asked_by(const Flags& flags);

// Looks the host up; of several addresses keeps those that take a connection, where one does.
[[nodiscard]] Result<void> reach(Asked& asked);

[[nodiscard]] std::string_view name(Mode mode);
[[nodiscard]] std::string_view name(Hostility hostility);

}  // namespace ringwall::load
