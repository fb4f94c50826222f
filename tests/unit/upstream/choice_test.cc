#include <ringwall/upstream/choice.h>

#include "unit/catch.h"

#include <array>
#include <deque>
#include <map>
#include <string>
#include <vector>

namespace ringwall::upstream {
namespace {

using config::Balance;

struct Nodes {
  explicit Nodes(std::size_t count, const std::vector<std::size_t>& order = {}) {
    for (std::size_t index = 0; index < count; ++index) {
      const std::size_t number = order.empty() ? index : order[index];
      made.emplace_back("n", "192.0.2." + std::to_string(number), std::uint16_t{9944}, 0U);
      targets.push_back(&made.back());
    }
    health.resize(count);
  }
  [[nodiscard]] std::optional<std::size_t> choose(const Ballot& ballot = {},
                                                  Balance balance = Balance::least_connections) const {
    return upstream::choose(targets, health, balance, ballot);
  }

  std::deque<Target> made;
  std::vector<const Target*> targets;
  std::vector<NodeHealth> health;
};

std::uint64_t client(unsigned number) {
  return client_hash({0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, static_cast<std::uint8_t>(number >> 8),
                      static_cast<std::uint8_t>(number)});
}

TEST_CASE("the node with the fewest WebSockets and requests gets the client") {
  Nodes nodes(3);
  REQUIRE(nodes.made[0].take_place());
  nodes.made[1].begin_request();
  nodes.made[1].begin_request();
  CHECK(nodes.choose() == 2);
  REQUIRE(nodes.made[2].take_place());
  REQUIRE(nodes.made[2].take_place());
  CHECK(nodes.choose() == 0);
  nodes.made[1].end_request();
  nodes.made[1].end_request();
  CHECK(nodes.choose() == 1);
}

TEST_CASE("nodes that are used as much are dealt out one after the other") {
  const Nodes nodes(3);
  std::vector<std::size_t> chosen;
  for (std::uint64_t turn = 0; turn < 6; ++turn) chosen.push_back(nodes.choose({.turn = turn}).value());
  CHECK(chosen == std::vector<std::size_t>{0, 1, 2, 0, 1, 2});
}

TEST_CASE("a node that is not well gets no client while another is, however much that one is used") {
  Nodes nodes(2);
  for (int place = 0; place < 100; ++place) REQUIRE(nodes.made[1].take_place());
  for (const NodeState state :
       {NodeState::few_peers, NodeState::lagging, NodeState::stale, NodeState::syncing, NodeState::failing}) {
    nodes.health[0].state = state;
    for (const NodeState other : {NodeState::unknown, NodeState::up}) {
      nodes.health[1].state = other;
      CHECK(nodes.choose() == 1);
      CHECK(nodes.choose({.client = client(1)}, Balance::hash) == 1);
    }
  }
}

TEST_CASE("where none is well the least bad one serves") {
  Nodes nodes(6);
  nodes.health[0].state = NodeState::failing;
  REQUIRE(nodes.made[1].ejection().failed({.failures = 1}, 50));
  nodes.health[2].state = NodeState::syncing;
  nodes.health[3].state = NodeState::stale;
  nodes.health[4].state = NodeState::lagging;
  nodes.health[5].state = NodeState::few_peers;
  std::vector<std::size_t> order;
  std::uint64_t tried = 0;
  while (const auto chosen = nodes.choose({.tried = tried, .now_ns = 99})) {
    order.push_back(*chosen);
    tried |= std::uint64_t{1} << *chosen;
  }
  CHECK(order == std::vector<std::size_t>{5, 4, 3, 2, 1, 0});
}

TEST_CASE("an ejection ends with its time") {
  Nodes nodes(2);
  REQUIRE(nodes.made[1].take_place());
  REQUIRE(nodes.made[0].ejection().failed({.failures = 1}, 50));
  const std::uint64_t until = nodes.made[0].ejection().until_ns();
  CHECK(nodes.choose({.now_ns = until - 1}) == 1);
  CHECK(nodes.choose({.now_ns = until}) == 0);
}

TEST_CASE("a node that has been tried is out of the question, and after the last there is none") {
  const Nodes nodes(2);
  CHECK(nodes.choose({.tried = 1}) == 1);
  CHECK(nodes.choose({.tried = 2}) == 0);
  CHECK(nodes.choose({.tried = 3}) == std::nullopt);
}

TEST_CASE("as many nodes as there may be") {
  const Nodes nodes(group_nodes_max);
  CHECK(nodes.choose({.tried = ~std::uint64_t{0} >> 1}) == group_nodes_max - 1);
  CHECK(nodes.choose({.tried = ~std::uint64_t{0}}) == std::nullopt);
}

TEST_CASE("by hash the same client gets the same node, and the nodes share the clients") {
  const Nodes nodes(3);
  std::map<std::size_t, unsigned> clients;
  for (unsigned number = 0; number < 3000; ++number) {
    const auto chosen = nodes.choose({.client = client(number), .turn = number}, Balance::hash);
    REQUIRE(chosen);
    CHECK(nodes.choose({.client = client(number), .turn = number + 1}, Balance::hash) == chosen);
    ++clients[*chosen];
  }
  for (std::size_t node = 0; node < 3; ++node) {
    CHECK(clients[node] > 850);
    CHECK(clients[node] < 1150);
  }
}

TEST_CASE("a node that goes moves its own clients alone, wherever it stands in the list") {
  const Nodes all(3);
  const Nodes turned_round(3, {2, 1, 0});
  for (unsigned number = 0; number < 300; ++number) {
    const auto before = all.choose({.client = client(number)}, Balance::hash);
    const auto without = all.choose({.client = client(number), .tried = 1}, Balance::hash);
    CHECK((before == 0 || without == before));
    CHECK(turned_round.choose({.client = client(number)}, Balance::hash) == 2 - *before);
  }
}

TEST_CASE("without health every node is taken to be well") {
  const Nodes nodes(2);
  CHECK(choose(nodes.targets, {}, Balance::least_connections, {.turn = 1}) == 1);
}

}  // namespace
}  // namespace ringwall::upstream
