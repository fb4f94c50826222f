// unreached.h: why nobody could be reached, with what may be changed on the command line. Pure functions, any thread.
#pragma once

#include <string>

#include "load/plan.h"
#include "load/result.h"

namespace ringwall::load {

// What may cure these troubles; empty: nothing is known that would.
[[nodiscard]] std::string advice(const Plan& plan, const Troubles& troubles);
[[nodiscard]] std::string why_unreached(const Plan& plan, const Troubles& troubles);

}  // namespace ringwall::load
