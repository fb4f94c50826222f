// How long calls take, as CallTable tells it.
#include <ringwall/session/call_table.h>

#include "unit/catch.h"
#include "unit/session/calls.h"

namespace ringwall::session {
namespace {

using Ended = CallTable::Ended;

TEST_CASE("a call and a subscribe are timed, in their class, to a tick") {
  constexpr std::uint64_t tick = CallTable::tick_ns;
  Calls calls;
  calls.now_ns = 5 * tick;
  calls.send("1", "system_health");
  calls.send("2", "state_getKeysPaged");
  calls.send("3", "chain_subscribeNewHeads");
  calls.now_ns = 15 * tick;
  const Ended cheap = calls.result("1", "{}");
  CHECK(cheap.is_timed);
  CHECK(cheap.cost == rpc::CostClass::cheap);
  CHECK(cheap.latency_ns == 10 * tick);
  calls.now_ns = 16 * tick + tick / 2;
  const Ended heavy = calls.error("2");
  CHECK(heavy.cost == rpc::CostClass::heavy);
  CHECK(heavy.latency_ns == 11 * tick);
  CHECK(calls.result("3", "\"a\"").latency_ns == 11 * tick);
}

TEST_CASE("what an answer cannot be told from another's, or has no place for a time, is not timed") {
  Calls calls;
  calls.send("1", "system_health");
  calls.send("1", "system_health");
  CHECK_FALSE(calls.result("1", "{}").is_timed);
  CHECK_FALSE(calls.result("1", "{}").is_timed);
  calls.send("null", "system_health");
  CHECK_FALSE(calls.result("null", "{}").is_timed);
  calls.send("2", "chain_unsubscribeNewHeads", "[\"a\"]");
  CHECK_FALSE(calls.result("2", "true").is_timed);
  calls.table.add_batch(2, 0);
  CHECK_FALSE(calls.hear("[]").is_timed);
  CHECK_FALSE(calls.result("9", "{}").is_timed);
}

TEST_CASE("the clock of the calls may go around") {
  Calls calls;
  calls.now_ns = (std::uint64_t{1} << 32) * CallTable::tick_ns - CallTable::tick_ns;
  calls.send("1", "system_health");
  calls.now_ns += 3 * CallTable::tick_ns;
  CHECK(calls.result("1", "{}").latency_ns == 3 * CallTable::tick_ns);
}

}  // namespace
}  // namespace ringwall::session
