// verdict.h: what a run comes to: its main latency, its share of errors, which thresholds held, who was the limit.
//
// Pure functions, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "load/options.h"
#include "load/result.h"

namespace ringwall::load {

// The latency that thresholds are about, and what it is of.
struct MainLatency {
  std::string_view of;  // "calls"
  const Histogram& histogram;
};
[[nodiscard]] MainLatency main_latency(Mode mode, const Tally& tally);

// Of all that was tried (calls, or connections where a mode makes none): 0 to 1. 0 where nothing was tried.
[[nodiscard]] double error_share(Mode mode, const Tally& tally);
// Of whatever kind, in time: what the endpoint has worked for, where CPU is divided.
[[nodiscard]] std::uint64_t answers_of_any_kind(const Tally& tally);
// What a mode is there for has happened at least once.
[[nodiscard]] bool has_measured(Mode mode, const Tally& tally);
// What is counted as done within the measured time, a second.
[[nodiscard]] double rate_of(Mode mode, const Outcome& outcome);
// The same of an open loop, to be held against what it was to make: at its start no answer can have come yet, for as
// long as the quickest one takes.
[[nodiscard]] double kept_rate(const Outcome& outcome);
inline constexpr double rate_kept_share = 0.97;  // of what an open loop was to make

// 1: all threads of well-behaved clients were busy all the time.
[[nodiscard]] double own_busy_share(const Plan& plan, const Outcome& outcome);
inline constexpr double busy_share_limit = 0.9;

// The 99th percentile that thresholds are about: what was never answered counts as longer than all that was. Nothing:
// it is one of those.
[[nodiscard]] std::optional<std::uint64_t> judged_p99_ns(Mode mode, const Tally& tally);

struct Judged {
  std::string threshold;  // "p99 at most 50 ms"
  std::string found;      // "61.2 ms"
  bool held = false;
};
// Of the thresholds that were asked for.
[[nodiscard]] std::vector<Judged> judge(const Thresholds& thresholds, Mode mode, const Tally& tally);

// What is asked of idle and subscribe where no share of errors is: that all connections are there at the end.
[[nodiscard]] std::optional<Judged> judge_connections(const Thresholds& thresholds, const Plan& plan,
                                                      const Outcome& outcome);

// The two kinds that there were most of, with what was said most often: "rpc_error 8,123 (-32999 Too many requests),
// answer_lost 12". Empty: there was none.
[[nodiscard]] std::string leading_errors(const Troubles& troubles);

// Sentences about errors that lead to something the reader can change: limits, a full node, calls never sent.
[[nodiscard]] std::vector<std::string> error_remarks(const Troubles& troubles);
// Sentences for the reader about what limited the figures, or makes them less than they seem.
[[nodiscard]] std::vector<std::string> remarks(const Plan& plan, const Outcome& outcome);

}  // namespace ringwall::load
