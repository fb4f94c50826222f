// course.h: how far a run is: what all its threads go by, and the little that they tell while it runs.
//
// Made by run(); written by its caller's thread but for what is said otherwise. Times are of the monotonic clock. One
// thread of clients is a worker.
#pragma once

#include <atomic>
#include <cstdint>

namespace ringwall::load {

inline constexpr std::uint64_t never_ns = UINT64_MAX;

struct Course {
  // never_ns until they are known, which is before they come.
  std::atomic<std::uint64_t> warmup_ns{never_ns};
  std::atomic<std::uint64_t> measure_ns{never_ns};
  std::atomic<std::uint64_t> end_ns{never_ns};  // may be brought forward
  std::atomic<bool> at_once{false};             // calls in flight are not waited for
  std::atomic<std::uint64_t> calls_left{0};     // of Plan::calls_max that no worker has taken; by the workers
};

}  // namespace ringwall::load
