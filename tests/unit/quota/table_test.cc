#include <ringwall/quota/table.h>

#include "unit/catch.h"
#include "unit/quota/fixture.h"
#include "unit/ring/death.h"

#include <utility>
#include <vector>

namespace ringwall::quota {
namespace {

PeerTerms terms_of(std::uint64_t per_second, std::uint64_t burst) {
  return {.units = Pace({per_second, burst}, start_ns),
          .new_connections = Pace({10, 10}, start_ns),
          .connections_max = 5,
          .subscriptions_max = 5};
}

// A table whose bucket 0 is held by others but for `left` entries.
struct Crowded {
  explicit Crowded(std::size_t left) {
    for (std::uint64_t i = left; i < bucket_ways; ++i) held.push_back(table.take(key_of(100 + i), terms, start_ns));
  }
  Handle take(std::uint64_t number, std::uint64_t now_ns) { return table.take(key_of(number), terms, now_ns); }

  PeerTerms terms = terms_of(10, 100);
  Table table{table_entries_min};
  std::vector<Handle> held;
};

constexpr std::uint64_t later(std::uint64_t debt_ms) { return start_ns + debt_ms * ms_ns + reuse_after_ns; }

TEST_CASE("an entry is a cache line, and a table's bytes are known when it is made") {
  CHECK(sizeof(Entry) == 64);
  CHECK(Table(1 << 12).bytes() == 64 << 12);
}

TEST_CASE("a key finds its entry again, another key another one") {
  const PeerTerms terms = terms_of(10, 100);
  Table table(table_entries_min);
  const Handle first = table.take(key_of(1), terms, start_ns);
  const Handle same = table.take(key_of(1), terms, start_ns);
  const Handle other = table.take(key_of(2), terms, start_ns);
  CHECK(&*first == &*same);
  CHECK(&*first != &*other);
  CHECK_FALSE(first.is_overflow());
}

TEST_CASE("a debt outlives all handles") {
  Crowded crowded(bucket_ways);
  REQUIRE(crowded.take(1, start_ns)->units().charge(crowded.terms.units, 100, start_ns) == given);
  CHECK(crowded.take(1, start_ns)->units().charge(crowded.terms.units, 1, start_ns) != given);
}

TEST_CASE("an idle entry goes to the next address, which starts with nothing owed") {
  Crowded crowded(1);
  Entry* entry = nullptr;
  {
    const Handle handle = crowded.take(1, start_ns);
    entry = &*handle;
    REQUIRE(handle->units().charge(crowded.terms.units, 100, start_ns) == given);
  }
  const Handle next = crowded.take(2, later(10'001));
  CHECK(&*next == entry);
  CHECK(next->units().charge(crowded.terms.units, 100, later(10'001)) == given);
  CHECK(crowded.table.evictions() == 1);
}

TEST_CASE("an entry that owes units, or a connection's charge, stays until it is paid back and a while more") {
  Crowded crowded(1);
  const auto check_kept = [&](std::uint64_t debt_ms) {
    CHECK(crowded.take(2, later(debt_ms) - ms_ns).is_overflow());
    CHECK_FALSE(crowded.take(2, later(debt_ms) + ms_ns).is_overflow());
  };
  SECTION("units") {
    REQUIRE(crowded.take(1, start_ns)->units().charge(crowded.terms.units, 100, start_ns) == given);
    check_kept(10'000);
  }
  SECTION("units owed past the burst") {
    crowded.take(1, start_ns)->units().owe(crowded.terms.units, 300, start_ns);
    check_kept(30'000);
  }
  SECTION("new connections") {
    REQUIRE(crowded.take(1, start_ns)->new_connections().charge(crowded.terms.new_connections, 10, start_ns) == given);
    check_kept(1'000);
  }
  SECTION("a ban, of which the later holds") {
    crowded.take(1, start_ns)->ban(start_ns + 5'000 * ms_ns);
    crowded.take(1, start_ns)->ban(start_ns + 2'000 * ms_ns);
    CHECK(crowded.take(1, start_ns)->banned_for(start_ns) == 5'000 * ms_ns);
    CHECK(crowded.take(1, start_ns)->banned_for(start_ns + 5'000 * ms_ns) == 0);
    check_kept(5'000);
  }
}

TEST_CASE("an entry that is held, or counts anything, is never another's") {
  Crowded crowded(1);
  constexpr std::uint64_t years_later = start_ns + 100'000'000 * second_ns;
  Handle handle = crowded.take(1, start_ns);
  CHECK(crowded.take(2, years_later).is_overflow());
  REQUIRE(handle->add_subscriptions(3, 5));
  REQUIRE(handle->add_connection(5));
  Entry* entry = &*handle;
  handle.release();
  CHECK(crowded.take(2, years_later).is_overflow());
  CHECK(crowded.table.times_full() == 2);
  SECTION("the subscriptions end first") {
    entry->drop_subscriptions(3);
    CHECK(crowded.take(2, years_later).is_overflow());
    entry->drop_connection();
  }
  SECTION("the connection ends first") {
    entry->drop_connection();
    CHECK(crowded.take(2, years_later).is_overflow());
    entry->drop_subscriptions(3);
  }
  CHECK_FALSE(crowded.take(2, years_later).is_overflow());
}

TEST_CASE("those who find no room share one entry, as if they were one address") {
  Crowded crowded(0);
  const Handle first = crowded.take(1, start_ns);
  const Handle second = crowded.take(2, start_ns);
  const Handle elsewhere = crowded.table.take(key_of(3, 1), crowded.terms, start_ns);
  CHECK(first.is_overflow());
  CHECK(&*first == &*second);
  CHECK_FALSE(elsewhere.is_overflow());
  REQUIRE(first->units().charge(crowded.terms.units, 60, start_ns) == given);
  CHECK(second->units().charge(crowded.terms.units, 41, start_ns) != given);
  CHECK(second->units().charge(crowded.terms.units, 40, start_ns) == given);
  CHECK(crowded.table.times_full() == 2);
}

TEST_CASE("who found no room before finds it when there is") {
  Crowded crowded(0);
  CHECK(crowded.take(1, start_ns).is_overflow());
  crowded.held.pop_back();
  CHECK_FALSE(crowded.take(1, start_ns).is_overflow());
}

TEST_CASE("counts reach their bound and not one more, all of several or none") {
  Entry entry;
  for (int i = 0; i < 5; ++i) CHECK(entry.add_connection(5));
  CHECK_FALSE(entry.add_connection(5));
  entry.drop_connection();
  CHECK(entry.add_connection(5));
  CHECK(entry.connections() == 5);
  CHECK(entry.add_subscriptions(3, 5));
  CHECK_FALSE(entry.add_subscriptions(3, 5));
  CHECK(entry.subscriptions() == 3);
  CHECK(entry.add_subscriptions(2, 5));
  CHECK_FALSE(entry.add_subscriptions(6, 5));
  constexpr std::uint32_t most = ~std::uint32_t{0};
  CHECK(entry.add_subscriptions(most - 5, most));
  CHECK_FALSE(entry.add_subscriptions(1, most));
}

TEST_CASE("a handle is moved, never doubled, and gives up what it had for what it gets") {
  Crowded crowded(1);
  Handle handle = crowded.take(1, start_ns);
  Handle moved = std::move(handle);
  CHECK_FALSE(handle);
  CHECK(crowded.take(2, start_ns).is_overflow());
  moved = Handle();
  handle = crowded.take(2, start_ns);
  CHECK_FALSE(handle.is_overflow());
  handle = crowded.take(2, start_ns);
  CHECK(crowded.take(3, start_ns).is_overflow());
}

TEST_CASE("a clock at its ends, and one that goes back, neither forget a debt nor free a held entry") {
  Crowded crowded(1);
  REQUIRE(crowded.take(1, start_ns)->units().charge(crowded.terms.units, 100, start_ns) == given);
  CHECK(crowded.take(2, 0).is_overflow());
  CHECK(crowded.take(1, 0)->units().charge(crowded.terms.units, 1, 0) != given);
  Handle last = crowded.take(2, ~std::uint64_t{0});
  CHECK_FALSE(last.is_overflow());
  CHECK(last->units().charge(crowded.terms.units, 100, ~std::uint64_t{0}) == given);
}

TEST_CASE("all entries of a bucket can be had, and a table forgets none that is in use") {
  const PeerTerms terms = terms_of(10, 100);
  Table table(table_entries_min);
  std::vector<Handle> handles;
  for (std::uint64_t bucket = 0; bucket < table_entries_min / bucket_ways; ++bucket) {
    for (std::uint64_t i = 0; i < bucket_ways; ++i) handles.push_back(table.take(key_of(i, bucket), terms, start_ns));
  }
  for (const Handle& handle : handles) REQUIRE_FALSE(handle.is_overflow());
  CHECK(table.count_in_use(terms, start_ns) == table_entries_min);
  CHECK(table.evictions() == 0);
  handles.clear();
  CHECK(table.count_in_use(terms, start_ns) == 0);
}

TEST_CASE("a table that goes while a handle is out, and a count below none, abort") {
  REQUIRE(aborts([] {
    Handle handle;
    Table table(table_entries_min);
    handle = table.take(1, terms_of(1, 1), start_ns);
  }));
  REQUIRE(aborts([] {
    Entry entry;
    entry.drop_connection();
  }));
}

}  // namespace
}  // namespace ringwall::quota
