// search.h: finds the highest rate at which an endpoint keeps its bounds: doubling, then bisection.
//
// It knows neither endpoint nor clock: a step is measured by the caller. One thread.
#pragma once

#include <ringwall/error.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "load/result.h"

namespace ringwall::load {

// What a step saw at the rate that was asked for.
struct StepSeen {
  double reached_rate = 0;  // good answers a second, in time: kept_rate()
  std::uint64_t p99_ns = 0;
  double error_share = 0;
  double own_busy_share = 0;
  double machine_busy_share = 0;
  Troubles troubles{};
  bool interrupted = false;
};

struct Step {
  double rate = 0;
  StepSeen seen;
  std::string broken;  // which bound, and by what; empty: it held
  [[nodiscard]] bool held() const { return broken.empty(); }
};

struct SearchBounds {
  std::uint64_t p99_ns = 0;
  double error_share = 0;
  double first_rate = 1000;
  double rate_min = 1, rate_max = 10e6;
  double precision = 1.03;  // between the rate that held and the one that did not
  unsigned steps_max = 40;
};

struct Found {
  std::optional<std::size_t> best;    // among the steps: the highest that held
  std::optional<std::size_t> broken;  // the lowest that did not
  std::vector<Step> steps;
  std::string limit;  // a sentence of what stood above it
  bool interrupted = false;
};

// `measure` is called once a step. A step in which this program or the machine was at its end and no bound was kept
// says nothing of the endpoint, which `limit` then tells; where errors say why, it names them. An error of `measure`
// ends the search.
[[nodiscard]] Result<Found> find_max(const SearchBounds& bounds,
                                     const std::function<Result<StepSeen>(double rate)>& measure,
                                     const std::function<void(const Step&)>& told);

}  // namespace ringwall::load
