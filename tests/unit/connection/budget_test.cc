#include <ringwall/connection/budget.h>

#include "unit/catch.h"
#include "unit/ring/death.h"

#include <cstdint>

namespace ringwall::connection {
namespace {

TEST_CASE("a budget gives its last byte and not one more") {
  Budget budget(100);
  CHECK(budget.take(60));
  CHECK(budget.take(40));
  CHECK_FALSE(budget.take(1));
  CHECK(budget.take(0));
  budget.give_back(100);
}

TEST_CASE("a refusal takes nothing and is counted") {
  Budget budget(100);
  REQUIRE(budget.take(60));
  CHECK_FALSE(budget.take(41));
  CHECK_FALSE(budget.take(SIZE_MAX));
  CHECK(budget.used() == 60);
  CHECK(budget.times_reached() == 2);
  CHECK(budget.take(40));
  budget.give_back(100);
}

TEST_CASE("what is given back can be taken again, and the most that was ever used is remembered") {
  Budget budget(100);
  REQUIRE(budget.take(90));
  budget.give_back(50);
  CHECK(budget.used() == 40);
  CHECK(budget.take(60));
  budget.give_back(100);
  CHECK(budget.used() == 0);
  CHECK(budget.used_most() == 100);
  CHECK(budget.times_reached() == 0);
}

TEST_CASE("a budget notices more given back than taken, and bytes that never came back") {
  CHECK(aborts([] {
    Budget budget(100);
    (void)budget.take(10);
    budget.give_back(11);
  }));
  CHECK(aborts([] {
    Budget budget(100);
    (void)budget.take(10);
  }));
  CHECK_FALSE(aborts([] {
    Budget budget(100);
    (void)budget.take(10);
    budget.give_back(10);
  }));
}

TEST_CASE("an address has no more than its share, and what it leaves is for the others") {
  const ShareKey hoarder{1}, other{2};
  SharedBudget budget(100, 60);
  CHECK(budget.take(hoarder, 60));
  CHECK_FALSE(budget.take(hoarder, 1));
  CHECK(budget.take(hoarder, 0));
  CHECK(budget.take(other, 40));
  CHECK_FALSE(budget.take(other, 1));
  CHECK(budget.used() == 100);
  CHECK(budget.times_reached() == 2);
  budget.give_back(hoarder, 60);
  CHECK(budget.take(other, 20));
  CHECK_FALSE(budget.take(other, 1));
  budget.give_back(other, 60);
  CHECK(budget.used() == 0);
  CHECK(budget.used_most() == 100);
}

TEST_CASE("a share notices more given back than it took") {
  CHECK(aborts([] {
    SharedBudget budget(100, 100);
    (void)budget.take(ShareKey{1}, 10);
    budget.give_back(ShareKey{2}, 10);
  }));
}

}  // namespace
}  // namespace ringwall::connection
