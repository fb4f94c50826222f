// Sessions over a simulated kernel, with every fault that a seed draws.
//
// RINGWALL_SIM_SEEDS=N runs seeds 1 to N (1,000 without it); RINGWALL_SIM_SEED=S runs seed S alone (tools/replay S).
#include "sim/session/run.h"
#include "unit/catch.h"

#include <cstdlib>

namespace ringwall::sim {
namespace {

std::uint64_t number_from(const char* variable, std::uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text != nullptr ? std::strtoull(text, nullptr, 10) : otherwise;
}

}  // namespace

TEST_CASE("whatever goes wrong, bytes in are bytes out, all is freed, and each session ends once", "[seeds]") {
  if (const std::uint64_t seed = number_from("RINGWALL_SIM_SEED", 0); seed != 0) {
    (void)run_session_seed(seed);
    return;
  }
  std::uint64_t sessions = 0;
  std::uint64_t messages = 0;
  const std::uint64_t seeds = number_from("RINGWALL_SIM_SEEDS", 1000);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const Outcome outcome = run_session_seed(seed);
    sessions += outcome.sessions;
    messages += outcome.messages_through;
  }
  // A simulation in which nothing happens finds nothing.
  REQUIRE(sessions > seeds);
  REQUIRE(messages > seeds);
}

TEST_CASE("one seed is one run: the same end, to the nanosecond") {
  for (const std::uint64_t seed : {2, 5, 77}) REQUIRE(run_session_seed(seed) == run_session_seed(seed));
}

}  // namespace ringwall::sim
