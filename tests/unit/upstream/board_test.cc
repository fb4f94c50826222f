#include <ringwall/upstream/board.h>

#include "unit/catch.h"

#include <string>
#include <vector>

namespace ringwall::upstream {
namespace {

using Kind = Observation::Kind;

constexpr std::uint64_t second = 1'000'000'000;

Observation chain(std::uint32_t best, std::uint32_t finalized, std::uint32_t peers = 8) {
  return {.kind = Kind::chain, .should_have_peers = true, .peers = peers, .best = best, .finalized = finalized};
}

Observation syncing() {
  Observation seen = chain(5, 3);
  seen.is_syncing = true;
  return seen;
}

const Observation failed{.kind = Kind::failed, .why = "the node takes no connection"};
const Observation at_limit{.kind = Kind::at_limit};
const Observation open{.kind = Kind::open};

// Nodes "a", "b", ... of an upstream "rpc".
struct Judged {
  explicit Judged(std::size_t nodes, HealthSettings settings = {.fall = 1, .rise = 1})
      : board({{.name = "rpc", .nodes = names(nodes), .settings = settings}}) {}
  static std::vector<std::string> names(std::size_t nodes) {
    std::vector<std::string> made;
    for (std::size_t index = 0; index < nodes; ++index) made.emplace_back(1, static_cast<char>('a' + index));
    return made;
  }
  std::vector<std::string> see(std::size_t node, const Observation& seen) {
    return texts(board.observed(node, seen, now));
  }
  static std::vector<std::string> texts(const std::vector<LogLine>& lines) {
    std::vector<std::string> made;
    for (const LogLine& line : lines) made.push_back(line.text);
    return made;
  }
  [[nodiscard]] NodeHealth of(std::size_t node) const { return board.snapshot()->nodes[node]; }
  [[nodiscard]] NodeState state(std::size_t node) const { return of(node).state; }
  [[nodiscard]] bool is_ready() const { return board.snapshot()->is_ready(now); }

  Board board;
  std::uint64_t now = 1000 * second;
};

using Lines = std::vector<std::string>;

TEST_CASE("before a node has said anything it may have clients, but nothing is ready") {
  const Judged judged(1);
  CHECK(judged.state(0) == NodeState::unknown);
  CHECK(badness(judged.of(0), judged.now) == 0);
  CHECK_FALSE(judged.is_ready());
}

TEST_CASE("where no node is ever asked, one that is not known to be bad is ready") {
  Board board({{.name = "rpc", .nodes = {"a", "b"}, .is_asked = false, .settings = {.eject = {.failures = 1}}}});
  CHECK(board.snapshot()->is_ready(5));
  Ejection one(1), two(2);
  REQUIRE((one.failed({.failures = 1}, 5) && two.failed({.failures = 1}, 5)));
  (void)board.ejected(0, one, 5);
  CHECK(board.snapshot()->is_ready(5));
  (void)board.ejected(1, two, 5);
  CHECK_FALSE(board.snapshot()->is_ready(5));
}

TEST_CASE("the first observation decides at once, and what a node says is told once") {
  Judged judged(1, {.fall = 3, .rise = 3});
  CHECK(judged.see(0, chain(100, 98, 1)) == Lines{"upstream a is healthy, best block 100, finalized 98, 1 peer"});
  CHECK(judged.see(0, chain(101, 99)) == Lines{});
  CHECK(judged.is_ready());
  const NodeHealth health = judged.of(0);
  CHECK(health.state == NodeState::up);
  CHECK(health.best == 101);
  CHECK(health.finalized == 99);
  CHECK(health.peers == 8);
  CHECK(health.syncing == false);
}

TEST_CASE("a node falls after so many bad observations in a row, and rises after so many good ones") {
  Judged judged(1, {.fall = 2, .rise = 3});
  (void)judged.see(0, chain(1, 1));
  CHECK(judged.see(0, syncing()) == Lines{});
  CHECK(judged.see(0, chain(1, 1)) == Lines{});
  CHECK(judged.see(0, syncing()) == Lines{});
  CHECK(judged.state(0) == NodeState::up);
  CHECK(judged.see(0, syncing()) == Lines{"upstream a is not healthy (syncing): it is syncing"});
  CHECK_FALSE(judged.is_ready());
  (void)judged.see(0, chain(1, 1));
  (void)judged.see(0, chain(1, 1));
  CHECK(judged.state(0) == NodeState::syncing);
  CHECK(judged.see(0, chain(1, 1)) == Lines{"upstream a is healthy again, best block 1, finalized 1, 8 peers"});
  CHECK(judged.is_ready());
}

TEST_CASE("what is wrong may change while it is not well, and is told then") {
  Judged judged(1, {.fall = 3, .rise = 3});
  CHECK(judged.see(0, failed) == Lines{"upstream a is not healthy (failing): the node takes no connection"});
  CHECK(judged.see(0, syncing()) == Lines{"upstream a is not healthy (syncing): it is syncing"});
  CHECK(judged.see(0, syncing()) == Lines{});
}

TEST_CASE("too few peers are bad, unless the node says that it should have none") {
  Judged judged(2, {.fall = 1, .rise = 1, .peers_min = 3});
  (void)judged.see(0, chain(1, 1, 2));
  CHECK(judged.state(0) == NodeState::few_peers);
  CHECK(judged.of(0).why == "it has 2 peers");
  (void)judged.see(0, chain(1, 1, 3));
  CHECK(judged.state(0) == NodeState::up);
  Observation alone = chain(1, 1, 0);
  alone.should_have_peers = false;
  (void)judged.see(1, alone);
  CHECK(judged.state(1) == NodeState::up);
}

TEST_CASE("a node may lag behind the second best by so many blocks, and not by one more") {
  Judged judged(3, {.fall = 1, .rise = 1, .lag_blocks_max = 10});
  (void)judged.see(0, chain(100, 90));
  (void)judged.see(1, chain(110, 100));
  (void)judged.see(2, chain(111, 101));
  CHECK(judged.of(0).lag_blocks == 10);
  CHECK(judged.of(1).lag_blocks == 0);
  CHECK(judged.of(2).lag_blocks == 0);
  (void)judged.see(1, chain(111, 101));
  (void)judged.see(2, chain(112, 102));
  CHECK(judged.see(0, chain(100, 91)) == Lines{"upstream a is not healthy (lagging): it is 11 blocks behind"});
  (void)judged.see(0, chain(101, 91));
  CHECK(judged.state(0) == NodeState::up);
}

TEST_CASE("one of three that tells of far too high a block condemns nobody, and is told of once") {
  Judged judged(3, {.fall = 1, .rise = 1, .lag_blocks_max = 10});
  (void)judged.see(0, chain(100, 98));
  (void)judged.see(1, chain(101, 98));
  CHECK(judged.see(2, chain(0xffff'ffff, 0xffff'ffff)).front() ==
        "upstream c is 4294967194 blocks ahead of all others: is it of another chain, or are they? Nobody is judged by "
        "it");
  CHECK(judged.see(0, chain(101, 98)) == Lines{});
  CHECK(judged.see(1, chain(102, 98)) == Lines{});
  CHECK(judged.state(0) == NodeState::up);
  CHECK(judged.state(1) == NodeState::up);
  CHECK(judged.of(0).lag_blocks == 1);
  (void)judged.see(0, chain(80, 70));
  CHECK(judged.state(0) == NodeState::lagging);
}

TEST_CASE("of two neither is judged by a lead of more than a day of blocks, but by its own block's age") {
  Judged judged(2, {.fall = 1, .rise = 1, .lag_blocks_max = 10, .block_age_max_s = 60});
  (void)judged.see(0, chain(100, 98));
  (void)judged.see(1, chain(100 + 14'410, 98));
  (void)judged.see(0, chain(100, 98));
  CHECK(judged.state(0) == NodeState::lagging);
  CHECK(judged.of(0).lag_blocks == 14'410);
  CHECK(judged.see(1, chain(100 + 14'411, 98)).size() == 1);
  (void)judged.see(0, Observation{.kind = Observation::Kind::at_limit});  // nothing to compare with, for once
  CHECK(judged.see(1, chain(100 + 14'412, 98)) == Lines{});
  (void)judged.see(0, chain(100, 98));
  CHECK(judged.state(0) == NodeState::up);
  CHECK(judged.of(0).lag_blocks == 0);
  judged.now += 61 * second;
  (void)judged.see(0, chain(100, 98));
  CHECK(judged.state(0) == NodeState::stale);
}

TEST_CASE("the finalized block may lag as little as the best") {
  Judged judged(2, {.fall = 1, .rise = 1, .lag_blocks_max = 10});
  (void)judged.see(0, chain(100, 98));
  (void)judged.see(1, chain(100, 80));
  CHECK(judged.state(1) == NodeState::lagging);
  CHECK(judged.of(1).lag_blocks == 18);
  CHECK(judged.state(0) == NodeState::up);
}

TEST_CASE("what a node said before it went away is no measure of the others") {
  Judged judged(2, {.fall = 1, .rise = 1, .lag_blocks_max = 10});
  (void)judged.see(0, chain(4'000'000'000, 98));
  (void)judged.see(0, failed);
  (void)judged.see(1, chain(100, 98));
  CHECK(judged.state(1) == NodeState::up);
  CHECK(judged.of(1).lag_blocks == 0);
  CHECK_FALSE(judged.of(0).lag_blocks);
  CHECK(judged.of(0).best == 4'000'000'000);
}

TEST_CASE("without a bound, and without another node, nobody lags") {
  Judged judged(2, {.fall = 1, .rise = 1, .lag_blocks_max = 0});
  (void)judged.see(0, chain(10'000, 10'000));
  (void)judged.see(1, chain(1, 1));
  CHECK(judged.state(1) == NodeState::up);
  CHECK(judged.of(1).lag_blocks == 9'999);
}

TEST_CASE("a block that has been the best for too long is bad, until there is another") {
  Judged judged(1, {.fall = 1, .rise = 1, .block_age_max_s = 60});
  (void)judged.see(0, chain(100, 98));
  judged.now += 60 * second;
  (void)judged.see(0, chain(100, 99));
  CHECK(judged.state(0) == NodeState::up);
  judged.now += second;
  CHECK(judged.see(0, chain(100, 99)) ==
        Lines{"upstream a is not healthy (stale): its best block has been 100 for more than 60 s"});
  (void)judged.see(0, chain(101, 99));
  CHECK(judged.state(0) == NodeState::up);
}

TEST_CASE("of several things that are wrong the gravest is told") {
  Judged judged(2, {.fall = 1, .rise = 1, .lag_blocks_max = 1, .block_age_max_s = 1});
  (void)judged.see(0, chain(100, 98));
  (void)judged.see(1, chain(1, 1, 0));
  CHECK(judged.state(1) == NodeState::lagging);
  judged.now += 10 * second;
  (void)judged.see(1, chain(1, 1, 0));
  CHECK(judged.state(1) == NodeState::stale);
  Observation all = chain(1, 1, 0);
  all.is_syncing = true;
  (void)judged.see(1, all);
  CHECK(judged.state(1) == NodeState::syncing);
}

TEST_CASE("a 429 is no outage: what was thought of the node stays") {
  Judged judged(1);
  (void)judged.see(0, chain(7, 5));
  CHECK(judged.see(0, at_limit) == Lines{});
  CHECK(judged.state(0) == NodeState::up);
  CHECK(judged.of(0).at_limit);
  CHECK(judged.of(0).best == 7);
  (void)judged.see(0, syncing());
  CHECK_FALSE(judged.of(0).at_limit);
  (void)judged.see(0, at_limit);
  CHECK(judged.state(0) == NodeState::syncing);
  Judged fresh(1);
  CHECK(fresh.see(0, at_limit) == Lines{"upstream a is healthy"});
}

TEST_CASE("a node that knows no chain is well while it takes connections") {
  Judged judged(1, {.fall = 1, .rise = 1, .lag_blocks_max = 1, .block_age_max_s = 1});
  CHECK(judged.see(0, open) == Lines{"upstream a is healthy"});
  judged.now += 100 * second;
  CHECK(judged.see(0, open) == Lines{});
  CHECK(judged.see(0, failed).size() == 1);
  CHECK(judged.state(0) == NodeState::failing);
}

TEST_CASE("a 429 says that a node is there: one that was failing is ready again after as many as rise wants") {
  Judged judged(1, {.fall = 2, .rise = 2});
  (void)judged.see(0, failed);
  CHECK_FALSE(judged.is_ready());
  CHECK(judged.see(0, at_limit) == Lines{});
  CHECK(judged.see(0, at_limit) == Lines{"upstream a is healthy again"});
  CHECK(judged.is_ready());
  (void)judged.see(0, failed);
  (void)judged.see(0, at_limit);
  (void)judged.see(0, failed);
  CHECK(judged.state(0) == NodeState::up);
}

TEST_CASE("while a node answers with 429 its numbers are old: it neither lags nor is a measure") {
  Judged judged(2, {.fall = 1, .rise = 1, .lag_blocks_max = 10});
  (void)judged.see(0, chain(100, 98));
  (void)judged.see(1, chain(105, 98));
  CHECK(judged.of(0).lag_blocks == 5);
  (void)judged.see(0, at_limit);
  (void)judged.see(1, chain(200, 198));
  CHECK_FALSE(judged.of(0).lag_blocks);
  CHECK(judged.state(0) == NodeState::up);
  (void)judged.see(1, at_limit);
  (void)judged.see(0, chain(100, 98));
  CHECK(judged.of(0).lag_blocks == 0);
  CHECK(judged.state(0) == NodeState::up);
}

TEST_CASE("that no node is healthy is told once, with the least bad one, and that one is again") {
  Judged judged(2);
  (void)judged.see(0, chain(1, 1));
  (void)judged.see(1, chain(1, 1));
  CHECK(judged.see(0, failed).size() == 1);
  CHECK(judged.is_ready());
  CHECK(judged.see(1, syncing()) ==
        Lines{"upstream b is not healthy (syncing): it is syncing",
              "upstream rpc has no healthy node: clients get what is the least bad, now b"});
  CHECK_FALSE(judged.is_ready());
  CHECK(judged.see(1, syncing()) == Lines{});
  CHECK(judged.see(0, chain(2, 2)) == Lines{"upstream a is healthy again, best block 2, finalized 2, 8 peers",
                                            "upstream rpc has a healthy node again"});
  CHECK(judged.is_ready());
}

TEST_CASE("any upstream that has a healthy node makes all ready") {
  Board board({{.name = "one", .nodes = {"a"}, .settings = {.fall = 1, .rise = 1}},
               {.name = "two", .nodes = {"b"}, .settings = {.fall = 1, .rise = 1}}});
  CHECK_FALSE(board.snapshot()->is_ready(5));
  (void)board.observed(0, open, 5);
  CHECK(board.snapshot()->is_ready(5));
  (void)board.observed(1, open, 5);
  (void)board.observed(0, failed, 5);
  CHECK(board.snapshot()->is_ready(5));
  CHECK_FALSE(board.snapshot()->has_healthy_node(0, 5));
  CHECK(board.snapshot()->has_healthy_node(1, 5));
  (void)board.observed(1, failed, 5);
  CHECK_FALSE(board.snapshot()->is_ready(5));
}

const HealthSettings ejecting{.fall = 1, .rise = 1, .eject = {.failures = 1}};

TEST_CASE("an ejection and its end are told, and what they make of the upstream") {
  Judged judged(2, ejecting);
  Ejection one(1), two(2);
  REQUIRE((one.failed(ejecting.eject, judged.now) && two.failed(ejecting.eject, judged.now)));
  CHECK(Judged::texts(judged.board.ejected(0, one, judged.now)) ==
        Lines{"upstream a: 1 requests in a row failed: it gets no new ones for 10 s"});
  CHECK(judged.of(0).ejected_until_ns == one.until_ns());
  CHECK(badness(judged.of(0), one.until_ns() - 1) != 0);
  CHECK(badness(judged.of(0), one.until_ns()) == 0);
  CHECK(judged.board.ejected(1, two, judged.now).size() == 2);
  judged.now += second;
  REQUIRE(two.answered(ejecting.eject, judged.now));
  CHECK(Judged::texts(judged.board.recovered(1, two, judged.now)) ==
        Lines{"upstream b: it answers requests again", "upstream rpc has a healthy node again"});
  CHECK(badness(judged.of(1), judged.now) == 0);
  CHECK(badness(judged.of(0), judged.now) != 0);
}

TEST_CASE("each line names whom it is about, and what has become of a node by the word that others use") {
  Judged judged(2, ejecting);
  const auto only = [](std::vector<LogLine> lines) {
    REQUIRE(lines.size() == 1);
    return std::pair(lines[0].upstream, std::string(lines[0].state));
  };
  using Told = std::pair<std::string, std::string>;
  CHECK(only(judged.board.observed(0, open, judged.now)) == Told{"a", "up"});
  Ejection ejection(1);
  REQUIRE(ejection.failed(ejecting.eject, judged.now));
  CHECK(only(judged.board.ejected(0, ejection, judged.now)) == Told{"a", "ejected"});
  CHECK(state_word(judged.of(0), judged.now) == "ejected");
  const std::vector<LogLine> worse = judged.board.observed(1, failed, judged.now);
  REQUIRE(worse.size() == 2);
  CHECK((worse[0].upstream == "b" && worse[0].state == "failing"));
  CHECK((worse[1].upstream == "rpc" && worse[1].state.empty()));
  judged.now = judged.of(0).ejected_until_ns;
  CHECK(state_word(judged.of(0), judged.now) == "up");
}

TEST_CASE("a node that is ejected and fails is told as failing, and keeps no latency of before") {
  Judged judged(2, ejecting);
  Observation answers = open;
  answers.latency_ns = 7;
  (void)judged.see(0, answers);
  CHECK(judged.of(0).latency_ns == 7U);
  Ejection ejection(1);
  REQUIRE(ejection.failed(ejecting.eject, judged.now));
  (void)judged.board.ejected(0, ejection, judged.now);
  (void)judged.see(0, failed);
  (void)judged.see(0, failed);
  CHECK(judged.of(0).latency_ns == std::nullopt);
  CHECK(state_word(judged.of(0), judged.now) == "failing");
}

TEST_CASE("the only node of an upstream is never ejected") {
  CHECK(Judged(1, ejecting).board.ejection_terms(0).failures == 0);
  CHECK(Judged(2, ejecting).board.ejection_terms(1).failures == 1);
}

}  // namespace
}  // namespace ringwall::upstream
