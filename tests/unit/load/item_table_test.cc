#include "load/item_table.h"

#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <thread>
#include <vector>

#include "unit/catch.h"

using ringwall::load::FanOut;
using ringwall::load::ItemTable;

namespace {

void hear(ItemTable& items, std::uint64_t hash, std::uint64_t now_ns, std::initializer_list<std::uint64_t> clients) {
  for (const std::uint64_t client : clients) (void)items.behind_first_ns(hash, client, now_ns);
}

void subscribe(ItemTable& items, std::uint64_t now_ns, std::initializer_list<std::uint64_t> clients) {
  for (const std::uint64_t client : clients) items.subscribed(client, now_ns);
}

}  // namespace

TEST_CASE("each copy of an item is told how far it is behind the first") {
  ItemTable items;
  CHECK(!items.behind_first_ns(7, 0, 100));
  CHECK(items.behind_first_ns(7, 1, 130) == 30U);
  CHECK(items.behind_first_ns(7, 2, 100) == 0U);
  CHECK(items.behind_first_ns(7, 3, 90) == 0U);
  CHECK(!items.behind_first_ns(8, 3, 200));
}

TEST_CASE("the same content again is another item, for each client in its turn") {
  ItemTable items;
  CHECK(!items.behind_first_ns(7, 0, 100));
  CHECK(!items.behind_first_ns(8, 0, 110));
  CHECK(!items.behind_first_ns(7, 0, 200));
  CHECK(!items.behind_first_ns(7, 0, 300));
  // Who is late has the first one first.
  CHECK(items.behind_first_ns(7, 70, 305) == 205U);
  CHECK(items.behind_first_ns(8, 70, 306) == 196U);
  CHECK(items.behind_first_ns(7, 70, 307) == 107U);
  CHECK(items.behind_first_ns(7, 70, 308) == 8U);
  CHECK(!items.behind_first_ns(7, 70, 400));
}

TEST_CASE("the oldest item is forgotten for the newest, and no other") {
  ItemTable items;
  for (std::uint64_t hash = 0; hash < ItemTable::items_max; ++hash) CHECK(!items.behind_first_ns(hash, 0, hash));
  CHECK(items.behind_first_ns(0, 1, 10) == 10U);
  CHECK(!items.behind_first_ns(ItemTable::items_max, 0, 5));
  CHECK(items.behind_first_ns(1, 1, 10) == 9U);
  CHECK(!items.behind_first_ns(0, 2, 10));
}

TEST_CASE("of items alike the oldest one is forgotten") {
  ItemTable items;
  for (std::uint64_t at = 0; at <= ItemTable::items_max; ++at) CHECK(!items.behind_first_ns(7, 0, at));
  CHECK(items.behind_first_ns(7, 1, 100) == 99U);
  CHECK(items.behind_first_ns(7, 1, 100) == 98U);
}

TEST_CASE("of threads that tell the same item one is the first") {
  ItemTable items;
  std::atomic<int> firsts = 0;
  std::vector<std::thread> threads;
  for (std::uint64_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&items, &firsts, thread] {
      for (std::uint64_t hash = 0; hash < 1000; ++hash) {
        if (!items.behind_first_ns(hash, thread, thread)) ++firsts;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(firsts == 1000);
}

TEST_CASE("copies are asked for of each subscriber that was there for long enough, and of items that several had") {
  ItemTable items;
  subscribe(items, 10, {0, 1, 2, 3});
  const auto found = [&] { return items.fan_out(100, 1000, 50); };
  hear(items, 1, 50, {0, 1});   // before the time
  hear(items, 2, 960, {0, 1});  // others may still come
  hear(items, 3, 500, {2});     // for one alone
  CHECK(found().copies_wanted == 0);
  hear(items, 4, 200, {0, 1, 2, 3});
  hear(items, 5, 300, {0, 1});
  CHECK(found().copies == 6);
  CHECK(found().copies_wanted == 8);
  CHECK(found().silent == 0);
  items.left(3, 349);
  CHECK(found().copies_wanted == 7);
  items.subscribed(4, 301);
  CHECK(found().copies_wanted == 7);
  hear(items, 6, 950, {0, 1, 2, 4});
  CHECK(found().copies == 10);
  CHECK(found().copies_wanted == 11);
}

TEST_CASE("a subscriber is silent that hears nothing in the time, whatever it heard before") {
  ItemTable items;
  subscribe(items, 10, {0, 1, 2, 3});
  hear(items, 1, 20, {0, 1, 2});
  hear(items, 1, 90, {3});  // late
  CHECK(items.fan_out(100, 1000, 50).silent == 0);
  hear(items, 2, 200, {0, 1});
  CHECK(items.fan_out(100, 1000, 50).silent == 2);
  hear(items, 3, 300, {2});
  CHECK(items.fan_out(100, 1000, 50).silent == 1);
}

TEST_CASE("a subscriber for which the endpoint counts from its own beginning misses nothing") {
  ItemTable items;
  subscribe(items, 10, {0, 1, 2});
  for (std::uint64_t number = 1; number < 10; ++number) hear(items, number, 100 * number, {0, 1});
  hear(items, 1, 800, {2});
  hear(items, 2, 900, {2});
  const FanOut found = items.fan_out(100, 1000, 50);
  CHECK(found.copies == 20);
  CHECK(found.copies_wanted == 20);
}
