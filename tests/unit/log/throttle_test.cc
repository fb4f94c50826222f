#include <ringwall/log/throttle.h>

#include "unit/catch.h"

namespace ringwall::log {
namespace {

constexpr std::uint64_t ms = 1'000'000;

TEST_CASE("so many lines a second are told, and the rest is counted") {
  Throttle throttle;
  const std::uint64_t begin_ns = 5'000 * ms;
  CHECK(throttle.take(begin_ns, 2));
  CHECK(throttle.take(begin_ns + 10 * ms, 2));
  CHECK_FALSE(throttle.may_take(begin_ns + 20 * ms, 2));
  CHECK_FALSE(throttle.take(begin_ns + 20 * ms, 2));
  CHECK_FALSE(throttle.take(begin_ns + 999 * ms, 2));
  CHECK(throttle.take_left_out() == 2);
  CHECK(throttle.take_left_out() == 0);
  CHECK(throttle.take(begin_ns + 1'000 * ms, 2));
  CHECK(throttle.take(begin_ns + 1'500 * ms, 2));
  CHECK_FALSE(throttle.take(begin_ns + 1'999 * ms, 2));
  CHECK(throttle.take(begin_ns + 2'000 * ms, 2));
}

TEST_CASE("the first line is told, whatever the clock says") {
  Throttle throttle;
  CHECK(throttle.take(0, 1));
  CHECK_FALSE(throttle.take(0, 1));
}

TEST_CASE("to ask leaves nothing out, and none a second is none") {
  Throttle throttle;
  CHECK_FALSE(throttle.may_take(0, 0));
  CHECK(throttle.may_take(0, 1));
  CHECK(throttle.take_left_out() == 0);
}

}  // namespace
}  // namespace ringwall::log
