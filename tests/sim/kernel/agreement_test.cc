// The simulated kernel against the kernel that this runs on: each play is given on both, and must be told alike.
//
// What Linux says is the reference: a line that differs on Linux is a mistake of the model. Where versions differ the
// model follows 6.1 (see sim_kernel.h), and what differs is not played here.
#include "sim/kernel/play.h"
#include "unit/catch.h"

#include <cstddef>
#include <cstdint>

namespace ringwall::sim {
namespace {

constexpr std::uint64_t seeds = 40;

std::vector<Play> plays() {
  std::vector<Play> all = receive_plays();
  for (const auto& more : {send_plays(), connection_plays(), tls_receive_plays(), tls_send_plays()}) {
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

bool is_given_on(Stage& stage, Needs needs) {
  switch (needs) {
    case Needs::nothing:
      return true;
    case Needs::tls:
      return stage.has_tls();
    case Needs::tls_with_one_key:
      return stage.has_tls() && !stage.takes_second_tls_key();
    case Needs::tls_with_second_key:
      return stage.takes_second_tls_key();
  }
  return false;
}

}  // namespace

TEST_CASE("Linux tells each play as it is written") {
  std::size_t not_given = 0;
  for (const Play& play : plays()) {
    INFO(play.name);
    if (is_given_on(*make_linux_stage(), play.needs)) {
      CHECK(play.act(*make_linux_stage()) == play.expected);
    } else {
      ++not_given;
    }
  }
  if (not_given > 0) WARN(not_given << " plays were not given: they are about a TLS that this kernel has not");
}

TEST_CASE("the simulated kernel tells each play as Linux does, whatever the seed") {
  for (const Play& play : plays()) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      INFO(play.name << ", seed " << seed);
      REQUIRE(play.act(*make_sim_stage(seed, play.needs == Needs::tls_with_second_key)) == play.expected);
    }
  }
}

}  // namespace ringwall::sim
