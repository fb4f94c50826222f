// Several nodes: whose a request is when the first does not take it, and what is held of each meanwhile.
#include <ringwall/session/session.h>

#include "stage.h"

#include <algorithm>
#include <string>
#include <string_view>

namespace ringwall::shard {
namespace {

using session::EndReason;
using test::answer;
using test::millisecond;
using test::Options;
using test::post;
using test::second;
using test::some_call;
using test::Stage;

constexpr std::string_view upgrade =
    "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

// Answers each whole call with `text`.
void say(sim::Server& node, std::string text) {
  node.on_peer = [text](sim::Peer& accepted) {
    accepted.on_event = [text](sim::Peer& asked) {
      if (!asked.received().ends_with(some_call)) return;  // it may come in pieces
      (void)asked.take_received();
      asked.send(text);
    };
  };
}

bool holds_nothing(const Stage& stage) {
  return std::ranges::all_of(stage.targets, [](const upstream::Target& target) { return target.load() == 0; });
}

TEST_CASE("a call whose node takes no connection is answered by the next node, and nothing stays held") {
  Stage stage({.nodes = 3});
  stage.node.mode = stage.other_nodes.front().mode = sim::Answer::refuse;
  say(stage.other_nodes.back(), answer("[3]"));
  sim::Peer& client = stage.connect(post(some_call));
  CHECK(stage.run_until([&] { return client.received().ends_with("[3]"); }, second));
  CHECK(holds_nothing(stage));
}

TEST_CASE("a node that is silent has no more than its share of the time to connect") {
  Stage stage({.nodes = 2});
  stage.node.mode = sim::Answer::ignore;
  say(stage.other_nodes.front(), answer("[2]"));
  sim::Peer& client = stage.connect(post(some_call));
  CHECK_FALSE(stage.run_until([&] { return client.received().ends_with("[2]"); }, 2400 * millisecond));
  CHECK(stage.targets[0].load() == 1);
  CHECK(stage.run_until([&] { return client.received().ends_with("[2]"); }, second));
  CHECK(holds_nothing(stage));
}

constexpr const char* busy = "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n";

TEST_CASE("a node's 429 gives its request to the next node") {
  Stage stage({.nodes = 2});
  say(stage.node, busy);
  say(stage.other_nodes.front(), answer("[2]"));
  sim::Peer& client = stage.connect(post(some_call));
  CHECK(stage.run_until([&] { return client.received().ends_with("[2]"); }, second));
  CHECK(stage.shard->service().nodes[0]->limit_reached == 1);
  CHECK(stage.shard->service().nodes[1]->limit_reached == 0);
  CHECK(holds_nothing(stage));
}

TEST_CASE("where all nodes are at their limit the client is told to come back") {
  Stage stage({.nodes = 2});
  say(stage.node, busy);
  say(stage.other_nodes.front(), busy);
  sim::Peer& client = stage.connect(post(some_call));
  CHECK(stage.run_until([&] { return client.has_ended(); }, 5 * second));
  CHECK(client.received().starts_with("HTTP/1.1 503 "));
  CHECK(stage.run_until([&] { return stage.sessions() == 0; }, 5 * second));
  CHECK(stage.ended(EndReason::node_refused) == 1);
  CHECK(holds_nothing(stage));
}

TEST_CASE("a WebSocket holds its place at the node that it gets, and at no other") {
  Stage stage({.nodes = 2});
  stage.node.mode = sim::Answer::refuse;
  sim::Peer& client = stage.connect(upgrade);
  REQUIRE(stage.run_until([&] { return !stage.other_nodes.front().peers().empty(); }, second));
  CHECK(stage.targets[0].places_taken() == 0);
  CHECK(stage.targets[1].places_taken() == 1);
  client.reset();
  CHECK(stage.run_until([&] { return stage.sessions() == 0; }, 5 * second));
  CHECK(holds_nothing(stage));
}

TEST_CASE("when no node takes a connection the client hears of it, and nothing stays held") {
  for (const std::string& request : {post(some_call), std::string(upgrade)}) {
    Stage stage({.nodes = 3});
    stage.node.mode = sim::Answer::refuse;
    for (sim::Server& node : stage.other_nodes) node.mode = sim::Answer::refuse;
    sim::Peer& client = stage.connect(request);
    CHECK(stage.run_until([&] { return client.has_ended(); }, 5 * second));
    CHECK(client.received().starts_with("HTTP/1.1 502 "));
    CHECK(stage.run_until([&] { return stage.sessions() == 0; }, 5 * second));
    CHECK(stage.ended(EndReason::node_unreachable) == 1);
    CHECK(holds_nothing(stage));
  }
}

TEST_CASE("a client that goes while the next node is tried leaves nothing, whatever the kernel's race") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    INFO("seed " << seed);
    Options options{.seed = seed, .nodes = 3};
    options.faults.cancel_loses = options.faults.late_completion = 0.3;
    Stage stage(options);
    stage.node.mode = stage.other_nodes.front().mode = sim::Answer::refuse;
    sim::Peer& client = stage.connect(seed % 2 == 0 ? std::string(upgrade) : post(some_call));
    stage.run_for(sim::Random(seed).below(12 * millisecond));
    client.reset();
    CHECK(stage.run_until([&] { return stage.sessions() == 0; }, 10 * second));
    CHECK(holds_nothing(stage));
  }
}

}  // namespace
}  // namespace ringwall::shard
