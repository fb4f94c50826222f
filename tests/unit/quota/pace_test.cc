#include <ringwall/quota/pace.h>

#include "unit/catch.h"

#include <random>

namespace ringwall::quota {
namespace {

constexpr std::uint64_t second_ns = 1'000'000'000;
constexpr std::uint64_t start_ns = 77 * second_ns;
constexpr std::uint64_t clock_end = ~std::uint64_t{0};

TEST_CASE("a burst is given at once to the last unit, and not one more") {
  const Pace pace({10, 100}, start_ns);
  std::uint64_t meter = 0;
  for (int i = 0; i < 100; ++i) REQUIRE(pace.charge(meter, 1, start_ns) == given);
  const std::uint64_t full = meter;
  CHECK(pace.charge(meter, 1, start_ns) != given);
  CHECK(meter == full);
}

TEST_CASE("the time to wait is the time after which the charge is given, and a nanosecond less is too early") {
  for (const Rate& rate : {Rate{1, 20}, {3, 50}, {7'919, 10'000}, {units_per_second_max, burst_units_max}}) {
    const Pace pace(rate, start_ns);
    std::uint64_t meter = 0;
    REQUIRE(pace.charge(meter, rate.burst - 4, start_ns) == given);
    const WaitNs wait = pace.charge(meter, 5, start_ns);
    REQUIRE(wait != given);
    REQUIRE(wait != never);
    CHECK(pace.charge(meter, 5, start_ns + wait - 1) != given);
    CHECK(pace.charge(meter, 5, start_ns + wait) == given);
  }
}

TEST_CASE("more than the burst is never given, also by a meter that owes nothing") {
  const Pace pace({10, 100}, start_ns);
  std::uint64_t meter = 0;
  CHECK(pace.charge(meter, 101, start_ns) == never);
  CHECK(pace.charge(meter, clock_end, start_ns) == never);
  CHECK(pace.charge(meter, 100, start_ns) == given);
}

TEST_CASE("a silence earns the burst and no more") {
  const Pace pace({10, 100}, start_ns);
  std::uint64_t meter = 0;
  const std::uint64_t later_ns = start_ns + 3'600 * second_ns;
  CHECK(pace.charge(meter, 100, later_ns) == given);
  CHECK(pace.charge(meter, 1, later_ns) / 1'000 == 100'000);
}

TEST_CASE("over any time what is given is at most the burst and the rate times the time, and all of it if asked for") {
  std::mt19937_64 random(1);
  for (const Rate& rate : {Rate{5, 20}, {333, 400}, {100'000, 1'000}}) {
    const Pace pace(rate, start_ns);
    std::uint64_t meter = 0, now_ns = start_ns, units = 0;
    for (int i = 0; i < 20'000; ++i) {
      now_ns += random() % (2 * second_ns / rate.per_second);
      const std::uint64_t cost = 1 + random() % 20;
      if (pace.charge(meter, cost, now_ns) == given) units += cost;
    }
    const auto earned = static_cast<double>(now_ns - start_ns) / 1e9 * static_cast<double>(rate.per_second);
    CHECK(static_cast<double>(units) <= earned + static_cast<double>(rate.burst));
    CHECK(static_cast<double>(units) >= earned * 0.999);
  }
}

TEST_CASE("what is owed is the same number of units when the rate changes, faster or slower") {
  for (const std::uint64_t per_second : {1, 10, 1'000}) {
    const Pace before({10, 100}, start_ns);
    std::uint64_t meter = 0;
    REQUIRE(before.charge(meter, 100, start_ns + second_ns) == given);
    // 10 units were paid back since: 90 are owed.
    const std::uint64_t now_ns = start_ns + 2 * second_ns;
    const Pace after = before.changed_to({per_second, 100}, now_ns);
    std::uint64_t same = meter;
    CHECK(after.charge(same, 11, now_ns) != given);
    CHECK(after.charge(same, 10, now_ns) == given);
    CHECK_FALSE(after.is_settled(meter, now_ns + 90 * second_ns / per_second - 1'000'000));
    CHECK(after.is_settled(meter, now_ns + 90 * second_ns / per_second + 1'000'000));
  }
}

TEST_CASE(
    "a smaller burst than what is owed refuses until that is paid back, and no limit in between keeps debts too") {
  const Pace before({10, 100}, start_ns);
  std::uint64_t meter = 0;
  REQUIRE(before.charge(meter, 100, start_ns) == given);
  const Pace smaller = before.changed_to({10, 20}, start_ns);
  CHECK(smaller.charge(meter, 1, start_ns + 8 * second_ns) != given);
  CHECK(smaller.charge(meter, 1, start_ns + 8 * second_ns + 101'000'000) == given);

  const Pace none = smaller.changed_to({}, start_ns + 9 * second_ns);
  REQUIRE(none.charge(meter, 1'000'000, start_ns + 9 * second_ns) == given);
  const Pace again = none.changed_to({10, 20}, start_ns + 9 * second_ns);
  CHECK(again.charge(meter, 1, start_ns + 60 * second_ns) != given);
}

TEST_CASE("what was used already is owed past the burst, and the next charge waits for it") {
  const Pace pace({10, 100}, start_ns);
  std::uint64_t meter = 0;
  pace.owe(meter, 500, start_ns);
  const WaitNs wait = pace.charge(meter, 1, start_ns);
  CHECK(wait >= 40'100'000'000);
  CHECK(wait <= 40'100'000'100);
  pace.owe(meter, clock_end, start_ns);
  const std::uint64_t most = meter;
  pace.owe(meter, clock_end, start_ns);
  CHECK(meter == most);
}

TEST_CASE("a charge that is given back leaves what was there") {
  const Pace pace({10, 100}, start_ns);
  std::uint64_t meter = 0;
  REQUIRE(pace.charge(meter, 60, start_ns) == given);
  REQUIRE(pace.charge(meter, 40, start_ns) == given);
  Pace::give_back(meter, 40);
  CHECK(pace.charge(meter, 41, start_ns) != given);
  CHECK(pace.charge(meter, 40, start_ns) == given);
}

TEST_CASE("a clock before its beginning stands still, and one at its end stops without going round") {
  const Pace pace({units_per_second_max, 100}, start_ns);
  CHECK(pace.parts_at(0) == 0);
  CHECK(pace.parts_at(start_ns) == 0);
  CHECK(pace.parts_at(clock_end) == Pace::parts_max);
  std::uint64_t meter = 0;
  CHECK(pace.charge(meter, 100, 0) == given);
  CHECK(pace.charge(meter, 1, 0) != given);
  CHECK(pace.charge(meter, 100, clock_end) == given);
  const WaitNs wait = pace.charge(meter, 1, clock_end);
  CHECK(wait != given);
  pace.owe(meter, burst_units_max, clock_end);
  CHECK(meter > Pace::parts_max);

  const Pace late = Pace({1, 1}, clock_end).changed_to({5, 5}, 0);
  CHECK(late.parts_at(clock_end) == 0);
  const Pace slow({1, 1}, 0);
  const std::uint64_t seconds = slow.parts_at(clock_end) / Pace::parts_per_unit;
  CHECK(seconds <= clock_end / second_ns);
  CHECK(seconds >= clock_end / second_ns - clock_end / second_ns / 10'000'000);
}

}  // namespace
}  // namespace ringwall::quota
