// The steps of searches for one key, in every order that threads can bring them in.
#include "quota/search.h"

#include "unit/catch.h"
#include "unit/quota/fixture.h"

#include <array>
#include <cstdint>
#include <random>
#include <vector>

namespace ringwall::quota {
namespace {

using Step = Search::Step;
using Bucket = std::array<Entry, bucket_ways>;

const PeerTerms terms = {.units = Pace({1, 10}, start_ns),
                         .new_connections = Pace({1, 10}, start_ns),
                         .connections_max = 1,
                         .subscriptions_max = 1};

// One thread's search, of which the next step can be taken while others stand where they are.
class Walker {
 public:
  Walker(Bucket& bucket, std::uint64_t key, bool patient) : search_(bucket, key), patient_(patient) {}

  void walk() {
    switch (next_) {
      case Next::pin:
        return go(search_.pin(), Next::none, Next::choose);
      case Next::choose:
        return go(search_.choose(terms, start_ns, patient_), Next::claim, Next::pin);
      case Next::claim:
        return go(search_.claim(), Next::settle, Next::pin);
      case Next::settle:
        return go(search_.settle(patient_), Next::none, Next::pin);
      case Next::none:
        return;
    }
  }
  bool has_arrived() const { return next_ == Next::none; }
  Entry* entry() const { return full_ ? nullptr : &search_.entry(); }

 private:
  enum class Next : std::uint8_t { pin, choose, claim, settle, none };

  void go(Step step, Next if_found, Next otherwise) {
    full_ = step == Step::full;
    next_ = full_ ? Next::none : step == Step::found ? if_found : otherwise;
  }

  Search search_;
  bool patient_;
  bool full_ = false;
  Next next_ = Next::pin;
};

// An entry for a key that has none, with nobody else there.
bool make(Search& search) {
  return search.pin() == Step::missing && search.choose(terms, start_ns, true) == Step::found &&
         search.claim() == Step::found && search.settle(true) == Step::found;
}

// All entries but `left` are held by others.
bool crowd(Bucket& bucket, std::size_t left) {
  for (std::uint64_t i = left; i < bucket_ways; ++i) {
    Search other(bucket, key_of(100 + i));
    if (!make(other)) return false;
  }
  return true;
}

// The first steps in `order`, a bit each; then one is interrupted for as long as the other takes.
bool both_find_the_same(unsigned order, unsigned steps, std::size_t left, bool first_patient, bool second_patient) {
  Bucket bucket;
  std::array walkers = {Walker(bucket, key_of(1), first_patient), Walker(bucket, key_of(1), second_patient)};
  if (!crowd(bucket, left)) return false;
  for (unsigned i = 0; i < steps; ++i) walkers[order >> i & 1].walk();
  for (const unsigned turn : {0, 1, 0}) {
    for (int i = 0; i < 100; ++i) walkers[turn].walk();
  }
  return walkers[0].has_arrived() && walkers[1].has_arrived() && walkers[0].entry() != nullptr &&
         walkers[0].entry() == walkers[1].entry();
}

TEST_CASE("two searches for one key find the same entry, in every order of their first 12 steps") {
  constexpr unsigned steps = 12;
  for (const bool first_patient : {true, false}) {
    for (const bool second_patient : {true, false}) {
      for (const std::size_t left : {1, 2, 16}) {
        unsigned wrong = 0;
        for (unsigned order = 0; order < 1U << steps; ++order) {
          wrong += both_find_the_same(order, steps, left, first_patient, second_patient) ? 0 : 1;
        }
        CHECK(wrong == 0);
      }
    }
  }
}

// Two and two of four search for the same, in a bucket with room for `left`.
bool four_find_their_own(std::mt19937_64& random, std::size_t left) {
  Bucket bucket;
  if (!crowd(bucket, left)) return false;
  std::vector<Walker> walkers;
  for (std::uint64_t i = 0; i < 4; ++i) walkers.emplace_back(bucket, key_of(1 + i % 2), random() % 2 == 0);
  for (int i = 0; i < 400; ++i) walkers[random() % 4].walk();
  bool right = true;
  for (std::size_t i = 0; i < 4; ++i) {
    right = right && walkers[i].has_arrived() && (left < 3 || walkers[i].entry() != nullptr);
    for (std::size_t k = 0; k < i; ++k) {
      const bool both = walkers[i].entry() != nullptr && walkers[k].entry() != nullptr;
      right = right && (!both || (walkers[i].entry() == walkers[k].entry()) == (i % 2 == k % 2));
    }
  }
  return right;
}

TEST_CASE("four searches for two keys find an entry each, or none if there is no room, in 20,000 random orders") {
  std::mt19937_64 random(1);
  unsigned wrong = 0;
  for (int round = 0; round < 20'000; ++round) wrong += four_find_their_own(random, 1 + random() % 3) ? 0 : 1;
  CHECK(wrong == 0);
}

TEST_CASE("an entry that was used after it was chosen is not claimed, though nobody holds it any more") {
  Bucket bucket;
  crowd(bucket, 1);
  Search owner(bucket, key_of(1));
  REQUIRE(make(owner));
  Search::unpin(owner.entry());

  Search other(bucket, key_of(2));
  REQUIRE(other.pin() == Step::missing);
  REQUIRE(other.choose(terms, start_ns, true) == Step::found);
  REQUIRE(owner.pin() == Step::found);
  REQUIRE(owner.entry().units().charge(terms.units, 10, start_ns) == given);
  Search::unpin(owner.entry());
  CHECK(other.claim() == Step::again);
  CHECK(other.choose(terms, start_ns, true) == Step::full);
}

TEST_CASE("a claim whose thread stands still is taken away by one that has lost patience, and by no other") {
  Bucket bucket;
  crowd(bucket, 1);
  Search still(bucket, key_of(1)), patient(bucket, key_of(1)), hasty(bucket, key_of(1)), other(bucket, key_of(2));
  REQUIRE(still.choose(terms, start_ns, true) == Step::found);
  REQUIRE(still.claim() == Step::found);
  CHECK(patient.pin() == Step::missing);
  CHECK(patient.choose(terms, start_ns, true) == Step::again);
  CHECK(other.choose(terms, start_ns, false) == Step::full);
  REQUIRE(hasty.choose(terms, start_ns, false) == Step::found);
  REQUIRE(hasty.claim() == Step::found);
  REQUIRE(hasty.settle(false) == Step::found);
  CHECK(still.settle(true) == Step::again);
  REQUIRE(still.pin() == Step::found);
  CHECK(&still.entry() == &hasty.entry());
}

TEST_CASE("an entry takes so many handles, and the one after that goes without") {
  Bucket bucket;
  Search search(bucket, key_of(1));
  REQUIRE(make(search));
  std::uint64_t pinned = 1;
  while (search.pin() == Step::found) ++pinned;
  CHECK(pinned == handles_per_entry_max);
  CHECK(search.pin() == Step::full);
  Search::unpin(search.entry());
  CHECK(search.pin() == Step::found);
}

}  // namespace
}  // namespace ringwall::quota
