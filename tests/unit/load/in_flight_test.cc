#include "load/in_flight.h"

#include <cstdint>
#include <set>
#include <vector>

#include "unit/catch.h"

using ringwall::load::CallInFlight;
using ringwall::load::InFlight;
using Match = InFlight::Match;

namespace {

CallInFlight call_of(std::uint32_t index, std::uint64_t sent_ns = 0) { return {.sent_ns = sent_ns, .index = index}; }

}  // namespace

TEST_CASE("an answer is found by its id, in whatever order answers come") {
  InFlight calls(3);
  const std::uint64_t first = calls.add(call_of(10)), second = calls.add(call_of(20)), third = calls.add(call_of(30));
  CHECK(calls.is_full());
  CHECK(calls.take(second).call.index == 20);
  CHECK(calls.take(third).call.index == 30);
  CHECK(calls.size() == 1);
  CHECK(calls.take(first).match == Match::found);
  CHECK(calls.size() == 0);
}

TEST_CASE("an id that was answered, or never given, is not in flight") {
  InFlight calls(2);
  const std::uint64_t id = calls.add(call_of(1));
  CHECK(calls.take(id).match == Match::found);
  CHECK(calls.take(id).match == Match::unknown);
  for (const std::uint64_t never : {std::uint64_t{0}, id + 2, UINT64_MAX})
    CHECK(calls.take(never).match == Match::unknown);
}

TEST_CASE("no id is given twice on a connection") {
  for (const std::uint32_t places : {1U, 2U, 7U, 64U}) {
    InFlight calls(places);
    std::set<std::uint64_t> ids;
    std::vector<std::uint64_t> open;
    for (std::uint64_t step = 0; step < 2000; ++step) {
      if (calls.is_full()) {
        const std::size_t at = step * 31 % open.size();
        CHECK(calls.take(open[at]).match == Match::found);
        open.erase(open.begin() + static_cast<std::ptrdiff_t>(at));
      }
      open.push_back(calls.add(call_of(0)));
      CHECK(open.back() != 0);
      CHECK(ids.insert(open.back()).second);
    }
  }
}

TEST_CASE("a call that was given up frees its place, and its answer is late, once") {
  InFlight calls(2);
  const std::uint64_t old = calls.add(call_of(1, 100));
  const std::uint64_t young = calls.add(call_of(2, 200));
  CHECK(calls.oldest_sent_ns() == 100);
  CHECK(!calls.give_up(99));
  CHECK(calls.give_up(100)->index == 1);
  CHECK(!calls.give_up(100));
  CHECK(calls.oldest_sent_ns() == 200);
  CHECK(!calls.is_full());
  CHECK(calls.take(old).match == Match::late);
  CHECK(calls.take(old).match == Match::unknown);
  CHECK(calls.take(young).match == Match::found);
  CHECK(calls.oldest_sent_ns() == UINT64_MAX);
}

TEST_CASE("a call is given up wherever it stands, before or behind the one that was last") {
  InFlight calls(5);
  std::vector<std::uint64_t> ids;
  for (std::uint32_t index = 0; index < 5; ++index) ids.push_back(calls.add(call_of(index, index < 3 ? 900 : 100)));
  CHECK(calls.give_up(100));
  CHECK(calls.give_up(100));
  CHECK(!calls.give_up(100));
  CHECK(calls.take(ids[1]).match == Match::found);
  (void)calls.add(call_of(7, 200));
  CHECK(calls.give_up(200)->index == 7);
  std::set<std::uint32_t> left;
  while (const auto call = calls.take_any()) left.insert(call->index);
  CHECK(left == std::set<std::uint32_t>{0, 2});
  CHECK(calls.size() == 0);
}

TEST_CASE("a new connection begins with nothing in flight") {
  InFlight calls(2);
  const std::uint64_t old = calls.add(call_of(1));
  (void)calls.add(call_of(2));
  CHECK(calls.take_any());
  CHECK(calls.take_any());
  CHECK(!calls.take_any());
  calls.start_again();
  CHECK(calls.take(old).match == Match::unknown);
  CHECK(calls.size() == 0);
}
