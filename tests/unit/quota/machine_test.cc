#include <ringwall/quota/machine.h>

#include "unit/catch.h"
#include "unit/quota/fixture.h"

#include <vector>

namespace ringwall::quota {
namespace {

TEST_CASE("a shard takes a slice and spends it call by call") {
  const Pace pace({100, 1'000}, start_ns);
  Machine machine;
  MachineShare share(machine);
  CHECK(share.charge(pace, 50, 20, start_ns) == given);
  CHECK(share.left_units() == 30);
  CHECK(share.charge(pace, 50, 30, start_ns) == given);
  CHECK(share.left_units() == 0);
  CHECK(share.charge(pace, 50, 1, start_ns) == given);
  CHECK(share.left_units() == 49);
}

TEST_CASE("a call that costs more than a slice takes what is missing and leaves nothing over") {
  const Pace pace({100, 1'000}, start_ns);
  Machine machine;
  MachineShare share(machine);
  REQUIRE(share.charge(pace, 50, 10, start_ns) == given);
  CHECK(share.charge(pace, 50, 600, start_ns) == given);
  CHECK(share.left_units() == 0);
  MachineShare other(machine);
  CHECK(other.charge(pace, 50, 391, start_ns) != given);
  CHECK(other.charge(pace, 50, 390, start_ns) == given);
}

TEST_CASE("without a whole slice left a call gets just what it needs, and a refusal costs the shard nothing") {
  const Pace pace({100, 100}, start_ns);
  Machine machine;
  MachineShare share(machine), other(machine);
  REQUIRE(share.charge(pace, 60, 5, start_ns) == given);
  CHECK(other.charge(pace, 60, 30, start_ns) == given);
  CHECK(other.left_units() == 0);
  CHECK(other.charge(pace, 60, 11, start_ns) >= 10 * ms_ns);
  CHECK(share.left_units() == 55);
  CHECK(share.charge(pace, 60, 66, start_ns) != given);
  CHECK(share.left_units() == 55);
  CHECK(share.charge(pace, 60, 65, start_ns) == given);
  CHECK(share.left_units() == 0);
}

TEST_CASE("more than the machine's burst is never given, whatever the shard has left") {
  const Pace pace({100, 100}, start_ns);
  Machine machine;
  MachineShare share(machine);
  REQUIRE(share.charge(pace, 50, 1, start_ns) == given);
  CHECK(share.charge(pace, 50, 101, start_ns) == never);
  CHECK(share.left_units() == 49);
}

TEST_CASE("what all shards give is the burst, the rate times the time, and a slice each at most") {
  constexpr std::uint64_t slice = 10, shards = 4;
  const Pace pace({1'000, 200}, start_ns);
  Machine machine;
  std::vector<MachineShare> shares(shards, MachineShare(machine));
  std::uint64_t units = 0, now_ns = start_ns;
  for (int i = 0; i < 40'000; ++i, now_ns += ms_ns / 10) {
    const std::uint64_t cost = static_cast<std::uint64_t>(i) % 7 + 1;
    if (shares[static_cast<std::size_t>(i) % shards].charge(pace, slice, cost, now_ns) == given) units += cost;
  }
  CHECK(units <= 200 + 4'000);
  CHECK(units >= 4'000 - shards * slice);
}

TEST_CASE("a smaller slice leaves a shard no more than that") {
  const Pace pace({100, 1'000}, start_ns);
  Machine machine;
  MachineShare share(machine);
  REQUIRE(share.charge(pace, 100, 1, start_ns) == given);
  share.keep_at_most(20);
  CHECK(share.left_units() == 20);
  share.keep_at_most(50);
  CHECK(share.left_units() == 20);
}

}  // namespace
}  // namespace ringwall::quota
