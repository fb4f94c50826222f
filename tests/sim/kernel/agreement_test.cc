// The simulated kernel against the kernel that this runs on: each play is given on both, and must be told alike.
//
// What Linux says is the reference: a line that differs on Linux is a mistake of the model. Where versions differ the
// model follows 6.1 (see sim_kernel.h), and what differs is not played here.
#include "sim/kernel/play.h"
#include "unit/catch.h"

#include <cstdint>

namespace ringwall::sim {
namespace {

constexpr std::uint64_t seeds = 40;

std::vector<Play> plays() {
  std::vector<Play> all = receive_plays();
  for (const auto& more : {send_plays(), connection_plays()}) all.insert(all.end(), more.begin(), more.end());
  return all;
}

}  // namespace

TEST_CASE("Linux tells each play as it is written") {
  for (const Play& play : plays()) {
    INFO(play.name);
    REQUIRE(play.act(*make_linux_stage()) == play.expected);
  }
}

TEST_CASE("the simulated kernel tells each play as Linux does, whatever the seed") {
  for (const Play& play : plays()) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      INFO(play.name << ", seed " << seed);
      REQUIRE(play.act(*make_sim_stage(seed)) == play.expected);
    }
  }
}

}  // namespace ringwall::sim
