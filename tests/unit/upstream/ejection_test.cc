#include <ringwall/upstream/ejection.h>

#include "unit/catch.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <thread>
#include <vector>

namespace ringwall::upstream {
namespace {

constexpr std::uint64_t second = 1'000'000'000;
constexpr std::uint64_t now = 1000 * second;
constexpr EjectionTerms third{.failures = 3, .first_ms = 10'000, .most_ms = 35'000};
constexpr EjectionTerms first{.failures = 1, .first_ms = 10'000, .most_ms = 35'000};

TEST_CASE("so many failures in a row eject a node, and an answer between them does not let it come to that") {
  Ejection node(1);
  CHECK_FALSE(node.failed(third, now));
  CHECK_FALSE(node.failed(third, now));
  CHECK_FALSE(node.answered(third, now));
  CHECK_FALSE(node.failed(third, now));
  CHECK_FALSE(node.failed(third, now));
  CHECK_FALSE(node.is_on(now));
  CHECK(node.failed(third, now));
  CHECK(node.is_on(now));
  CHECK_FALSE(node.failed(third, now));
}

TEST_CASE("an ejected node is out for its time, and up to a quarter more") {
  Ejection node(1);
  REQUIRE(node.failed(first, now));
  const std::uint64_t until = node.until_ns();
  CHECK(until >= now + 10 * second);
  CHECK(until <= now + 12'500'000'000);
  CHECK(node.is_on(until - 1));
  CHECK_FALSE(node.is_on(until));
}

TEST_CASE("what follows soon is twice as long, up to its bound; what follows late is as the first") {
  Ejection node(1);
  std::uint64_t at = now;
  for (const std::uint64_t length_ms : {10'000, 20'000, 35'000, 35'000}) {
    REQUIRE(node.failed(first, at));
    CHECK(node.length_ms() == length_ms);
    CHECK(node.until_ns() >= at + length_ms * 1'000'000);
    CHECK(node.until_ns() <= at + length_ms * 1'250'000);
    at = node.until_ns() + 5 * second;
  }
  REQUIRE(node.failed(first, node.until_ns() + 35 * second));
  CHECK(node.length_ms() == 10'000);
}

TEST_CASE("nodes that are ejected together do not come back together") {
  Ejection one(1), two(2);
  REQUIRE((one.failed(first, now) && two.failed(first, now)));
  CHECK(one.until_ns() != two.until_ns());
}

TEST_CASE("an answer ends an ejection, and says so once") {
  Ejection node(1);
  REQUIRE(node.failed(first, now));
  CHECK(node.answered(first, now + second));
  CHECK(node.until_ns() == now + second);
  CHECK_FALSE(node.answered(first, now + second));
}

TEST_CASE("an answer at the same time as a failure leaves nobody ejected whom no answer can bring back") {
  constexpr std::size_t rounds = 200'000;
  std::deque<Ejection> nodes;
  for (std::size_t round = 0; round < rounds; ++round) nodes.emplace_back(round);
  {
    std::atomic<std::size_t> failing = 0, answering = 0;
    // Each waits for the other before each round.
    const auto all = [&](std::atomic<std::size_t>& mine, const std::atomic<std::size_t>& others, auto act) {
      for (std::size_t round = 0; round < rounds; ++round) {
        mine.store(round + 1);
        while (others.load() <= round) {
        }
        (void)act(nodes[round]);
      }
    };
    const std::jthread one([&] { all(failing, answering, [](Ejection& node) { return node.failed(first, now); }); });
    const std::jthread two([&] { all(answering, failing, [](Ejection& node) { return node.answered(first, now); }); });
  }
  const auto stays_out = [](Ejection& node) { return !node.answered(first, now) && node.is_on(now); };
  CHECK(std::ranges::count_if(nodes, stays_out) == 0);
}

TEST_CASE("without a number of failures nothing is ejected") {
  Ejection node(1);
  for (int time = 0; time < 9; ++time) CHECK_FALSE(node.failed({}, now));
  CHECK_FALSE(node.answered({}, now));
  CHECK_FALSE(node.is_on(now));
}

TEST_CASE("of threads whose requests fail at the same time one ejects the node") {
  for (std::uint64_t round = 1; round <= 50; ++round) {
    Ejection node(round);
    std::atomic<int> ejected = 0;
    {
      std::vector<std::jthread> shards;
      for (int index = 0; index < 4; ++index) {
        shards.emplace_back([&] {
          for (int time = 0; time < 20; ++time) ejected += node.failed(third, now) ? 1 : 0;
        });
      }
    }
    CHECK(ejected == 1);
  }
}

}  // namespace
}  // namespace ringwall::upstream
