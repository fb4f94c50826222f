#include "load/item_table.h"

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

#include "unit/catch.h"

using ringwall::load::ItemTable;

TEST_CASE("each copy of an item is told how far it is behind the first") {
  ItemTable items;
  CHECK(!items.behind_first_ns(7, 100));
  CHECK(items.behind_first_ns(7, 130) == 30U);
  CHECK(items.behind_first_ns(7, 100) == 0U);
  CHECK(items.behind_first_ns(7, 90) == 0U);
  CHECK(!items.behind_first_ns(8, 200));
}

TEST_CASE("the oldest item is forgotten for the newest, and no other") {
  ItemTable items;
  for (std::uint64_t hash = 0; hash < ItemTable::items_max; ++hash) CHECK(!items.behind_first_ns(hash, hash));
  CHECK(items.behind_first_ns(0, 10) == 10U);
  CHECK(!items.behind_first_ns(ItemTable::items_max, 5));
  CHECK(items.behind_first_ns(1, 10) == 9U);
  CHECK(!items.behind_first_ns(0, 10));
}

TEST_CASE("of threads that tell the same item one is the first") {
  ItemTable items;
  std::atomic<int> firsts = 0;
  std::vector<std::thread> threads;
  for (std::uint64_t thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&items, &firsts, thread] {
      for (std::uint64_t hash = 0; hash < 1000; ++hash) {
        if (!items.behind_first_ns(hash, thread)) ++firsts;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(firsts == 1000);
}
