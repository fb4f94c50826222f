// session.h: one start of the program, from a checked command line to its exit status: the run or the search, the live
// line, and what is written at the end. One thread; run() makes its own.
#pragma once

#include <ringwall/error.h>

#include <functional>

#include "load/options.h"
#include "load/run.h"

namespace ringwall::load {

class Interrupter;

// run() of run.h, or in tests what stands for it.
using Runner = std::function<Result<Outcome>(const Plan&, const Watch&)>;

// Returns the exit status that --help tells of.
[[nodiscard]] int run_session(const Asked& asked, const Interrupter& interrupter, const Runner& runner);

}  // namespace ringwall::load
