#include <ringwall/session/assembly_budget.h>

#include "unit/catch.h"

#include <functional>
#include <list>
#include <string>
#include <utility>
#include <vector>

namespace ringwall::session {
namespace {

using Answer = AssemblyBudget::Answer;

AddressBytes address(std::uint8_t last) {
  AddressBytes bytes{};
  bytes[15] = last;
  return bytes;
}
const AddressBytes alice = address(1);
const AddressBytes bob = address(2);

struct Waiter final : AssemblyBudget::Waiter {
  Waiter(std::string name_in, std::vector<std::string>& told_in) : name(std::move(name_in)), told(told_in) {}
  void on_memory() override {
    told.push_back(name);
    if (when_told) when_told();
  }

  std::string name;
  std::vector<std::string>& told;
  std::function<void()> when_told;
};

TEST_CASE("memory is given within the shard's and the address's share, and an address of its own has its own") {
  AssemblyBudget budget(100, 60, 50);
  AssemblyCharge first(budget, alice);
  AssemblyCharge second(budget, bob);
  CHECK(first.grow(60) == Answer::given);
  CHECK(second.grow(40) == Answer::given);
  CHECK(budget.used() == 100);
  CHECK(first.bytes() == 60);
}

TEST_CASE("who holds nothing and finds the shard's memory spent waits") {
  AssemblyBudget budget(100, 60, 50);
  AssemblyCharge first(budget, alice);
  AssemblyCharge second(budget, bob);
  REQUIRE(first.grow(60) == Answer::given);
  CHECK(second.grow(41) == Answer::wait);
  CHECK(second.bytes() == 0);
  CHECK(budget.used() == 60);
  CHECK(budget.times_reached() == 1);
  first.release();
  CHECK(second.grow(41) == Answer::given);
}

TEST_CASE("who finds its address's share taken by others of that address waits, and is no cost to others") {
  AssemblyBudget budget(100, 60, 50);
  AssemblyCharge first(budget, alice);
  AssemblyCharge second(budget, alice);
  AssemblyCharge other(budget, bob);
  REQUIRE(first.grow(50) == Answer::given);
  CHECK(second.grow(11) == Answer::wait);
  CHECK(second.grow(10) == Answer::given);
  CHECK(second.grow(1) == Answer::wait);
  CHECK(other.grow(40) == Answer::given);
  first.release();
  CHECK(second.grow(50) == Answer::given);
}

TEST_CASE("more than an address may ever have is refused at once, in one piece or bit by bit") {
  AssemblyBudget budget(100, 60, 50);
  AssemblyCharge charge(budget, alice);
  CHECK(charge.grow(61) == Answer::never);
  REQUIRE(charge.grow(60) == Answer::given);
  CHECK(charge.grow(1) == Answer::never);
  CHECK(charge.bytes() == 60);

  AssemblyCharge other(budget, bob);
  AssemblyCharge third(budget, bob);
  REQUIRE(other.grow(10) == Answer::given);
  REQUIRE(third.grow(10) == Answer::given);
  CHECK(other.grow(51) == Answer::never);
  CHECK(other.grow(50) == Answer::wait);
}

TEST_CASE("more than the shard will ever have is refused at once too") {
  AssemblyBudget budget(100, 200, 100);
  AssemblyCharge charge(budget, alice);
  CHECK(charge.grow(101) == Answer::never);
  REQUIRE(charge.grow(90) == Answer::given);
  CHECK(charge.grow(11) == Answer::never);
  CHECK(charge.grow(10) == Answer::given);
}

TEST_CASE("a charge is given back with its object, once, whoever it was moved to") {
  AssemblyBudget budget(100, 100, 10);
  {
    AssemblyCharge first(budget, alice);
    REQUIRE(first.grow(30) == Answer::given);
    REQUIRE(first.grow(20) == Answer::given);
    const AssemblyCharge second(std::move(first));
    CHECK(second.bytes() == 50);
    CHECK(first.bytes() == 0);
    first.release();
    CHECK(budget.used() == 50);
    REQUIRE(first.grow(5) == Answer::given);
  }
  CHECK(budget.used() == 0);
}

TEST_CASE("those who wait are told in their order, once, when memory has come back") {
  AssemblyBudget budget(100, 100, 10);
  std::vector<std::string> told;
  Waiter first("first", told), second("second", told), third("third", told);
  for (Waiter* waiter : {&first, &second, &third}) budget.wait(*waiter);
  budget.wake();
  CHECK(told.empty());
  CHECK_FALSE(budget.is_due());

  AssemblyCharge charge(budget, alice);
  REQUIRE(charge.grow(10) == Answer::given);
  budget.wake();
  CHECK(told.empty());
  charge.release();
  CHECK(budget.is_due());
  budget.wake();
  CHECK(told == std::vector<std::string>{"first", "second", "third"});
  CHECK_FALSE(budget.is_due());
  REQUIRE(charge.grow(10) == Answer::given);
  charge.release();
  budget.wake();
  CHECK(told.size() == 3);
}

TEST_CASE("who still finds too little waits on and keeps its place before those who came later") {
  AssemblyBudget budget(100, 100, 10);
  std::vector<std::string> told;
  Waiter first("first", told), second("second", told);
  AssemblyCharge big(budget, alice), small(budget, alice), used(budget, bob);
  REQUIRE(used.grow(100) == Answer::given);
  for (const auto& [waiter, charge, bytes] :
       {std::tuple(&first, &big, std::size_t{80}), {&second, &small, std::size_t{70}}}) {
    waiter->when_told = [&budget, waiter, charge, bytes] {
      if (charge->grow(bytes) == Answer::wait) budget.wait(*waiter);
    };
    REQUIRE(charge->grow(bytes) == Answer::wait);
    budget.wait(*waiter);
  }
  used.release();
  REQUIRE(used.grow(50) == Answer::given);
  budget.wake();
  CHECK(told == std::vector<std::string>{"first", "second"});
  CHECK(budget.used() == 50);
  used.release();
  budget.wake();
  CHECK(told == std::vector<std::string>{"first", "second", "first", "second"});
  CHECK(big.bytes() == 80);
  CHECK(small.bytes() == 0);
  big.release();
  budget.wake();
  CHECK(small.bytes() == 70);
}

TEST_CASE("a waiter that has ended is not told, also when another that is told ends it") {
  AssemblyBudget budget(100, 100, 10);
  std::vector<std::string> told;
  Waiter first("first", told), second("second", told), third("third", told), fourth("fourth", told);
  for (Waiter* waiter : {&first, &second, &third, &fourth}) budget.wait(*waiter);
  budget.stop_waiting(first);
  second.when_told = [&] { budget.stop_waiting(third); };
  AssemblyCharge charge(budget, alice);
  REQUIRE(charge.grow(1) == Answer::given);
  charge.release();
  budget.wake();
  CHECK(told == std::vector<std::string>{"second", "fourth"});
}

TEST_CASE("memory that comes back while some are told is told of in the next turn") {
  AssemblyBudget budget(100, 100, 10);
  std::vector<std::string> told;
  Waiter first("first", told), second("second", told);
  AssemblyCharge held(budget, alice), used(budget, bob);
  REQUIRE(held.grow(50) == Answer::given);
  REQUIRE(used.grow(10) == Answer::given);
  first.when_told = [&] { budget.wait(first); };
  second.when_told = [&] { held.release(); };
  budget.wait(first);
  budget.wait(second);
  used.release();
  budget.wake();
  CHECK(told == std::vector<std::string>{"first", "second"});
  CHECK(budget.is_due());
  budget.wake();
  CHECK(told == std::vector<std::string>{"first", "second", "first"});
}

TEST_CASE("those who hold a part and wait for more never wait for each other") {
  AssemblyBudget budget(100, 100, 50);
  AssemblyCharge first(budget, alice), second(budget, alice), third(budget, bob);
  REQUIRE(first.grow(10) == Answer::given);
  REQUIRE(second.grow(40) == Answer::given);
  REQUIRE(third.grow(40) == Answer::given);
  // What is left is what the one with most may still need: whoever that is gets it, and the others wait.
  CHECK(first.grow(1) == Answer::wait);
  REQUIRE(second.grow(5) == Answer::given);
  CHECK(third.grow(1) == Answer::wait);
  REQUIRE(second.grow(5) == Answer::given);
  CHECK(third.grow(1) == Answer::wait);
  second.release();
  CHECK(third.grow(10) == Answer::given);
  CHECK(first.grow(41) == Answer::wait);
  CHECK(first.grow(40) == Answer::given);
}

TEST_CASE("who fills its address's share by itself leaves nothing to hold for those behind it") {
  AssemblyBudget budget(200, 50, 50);
  AssemblyCharge first(budget, alice), second(budget, alice), other(budget, bob);
  REQUIRE(first.grow(1) == Answer::given);
  CHECK(second.grow(1) == Answer::wait);
  CHECK(other.grow(50) == Answer::given);
  REQUIRE(first.grow(49) == Answer::given);
  first.release();
  CHECK(second.grow(50) == Answer::given);
}

TEST_CASE("one that has begun and sends nothing more holds up nobody who has more") {
  AssemblyBudget budget(100, 60, 50);
  AssemblyCharge staller(budget, alice), other(budget, alice);
  REQUIRE(staller.grow(4) == Answer::given);
  for (int upload = 0; upload < 3; ++upload) {
    for (int piece = 0; piece < 10; ++piece) REQUIRE(other.grow(5) == Answer::given);
    other.release();
  }
}

TEST_CASE("large messages that are begun and not ended leave a reserve for small ones, and for the one with most") {
  constexpr std::size_t small = AssemblyBudget::small_bytes_max;
  AssemblyBudget budget(8 * small, 8 * small, 4 * small, 2 * small);
  AssemblyCharge first(budget, alice), second(budget, alice), third(budget, bob), late(budget, bob);
  REQUIRE(first.grow(4 * small - 1) == Answer::given);
  REQUIRE(second.grow(4 * small - 1) == Answer::given);
  CHECK(third.grow(small + 1) == Answer::wait);
  REQUIRE(third.grow(small) == Answer::given);
  CHECK(third.grow(1) == Answer::wait);
  CHECK(late.grow(small) == Answer::given);
  CHECK(late.grow(1) == Answer::wait);
  CHECK(first.grow(1) == Answer::given);
  CHECK(second.grow(1) == Answer::wait);
  first.release();
  CHECK(second.grow(1) == Answer::given);
  second.release();
  CHECK(third.grow(3 * small) == Answer::given);
}

TEST_CASE("messages that become as large as the largest by doubling do not take the reserve") {
  constexpr std::size_t small = AssemblyBudget::small_bytes_max;
  AssemblyBudget budget(16 * small, 16 * small, 4 * small, 2 * small);
  std::list<AssemblyCharge> charges;
  for (int number = 0; number < 6; ++number) {
    REQUIRE(charges.emplace_back(budget, address(1)).grow(2 * small) == Answer::given);
  }
  for (AssemblyCharge& charge : charges) (void)charge.grow(2 * small);
  CHECK(budget.used() <= 16 * small);
  AssemblyCharge late(budget, bob);
  CHECK(late.grow(small) == Answer::given);
}

TEST_CASE("forty who upload at once all get through, one after another, and none is refused") {
  constexpr std::size_t message = 16'000, piece = 500;
  AssemblyBudget budget(128'000, 32'000, message);
  std::vector<std::string> told;
  std::list<AssemblyCharge> charges;
  std::vector<AssemblyCharge*> uploads;
  for (std::uint8_t number = 0; number < 40; ++number) {
    uploads.push_back(&charges.emplace_back(budget, address(number % 3)));
  }
  std::size_t done = 0;
  for (int round = 0; round < 10'000 && done < uploads.size(); ++round) {
    for (AssemblyCharge*& upload : uploads) {
      if (upload == nullptr) continue;
      const Answer answer = upload->grow(piece);
      REQUIRE(answer != Answer::never);
      if (upload->bytes() < message) continue;
      upload->release();
      upload = nullptr;
      ++done;
    }
  }
  CHECK(done == uploads.size());
  CHECK(budget.used() == 0);
}

}  // namespace
}  // namespace ringwall::session
