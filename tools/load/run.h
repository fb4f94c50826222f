// run.h: runs a plan to its end: threads, clients, warm-up, the measured time, and what was seen.
#pragma once

#include <functional>

#include <ringwall/error.h>

#include "load/plan.h"
#include "load/result.h"

namespace ringwall::load {

// What the live line shows; told about once a second, on the thread that called run().
struct Progress {
  enum class Phase : std::uint8_t { connecting, warmup, measuring, ending };
  Phase phase = Phase::connecting;
  double elapsed_s = 0, left_s = 0;
  Second last{};             // of the last second
  std::uint64_t errors = 0;  // so far
  std::uint64_t connections_wanted = 0;
  std::uint64_t calls_waiting = 0;  // ending: in flight
  bool interrupted = false;         // ending: they are not waited for
};

struct Watch {
  std::function<void(const Progress&)> progress;  // may be empty
  int pid = 0;                                    // of the process whose CPU and memory are told; 0: none
  int stop_event = -1;  // an eventfd: readable means end now, in order, and tell what was seen
};

// An error means that nothing was measured: no address, no descriptors, no first connection within the plan's timeout.
[[nodiscard]] Result<Outcome> run(const Plan& plan, const Watch& watch);

}  // namespace ringwall::load
