// How the sessions of a shard go when it is asked to stop: spread, after their answers, between frames.
#include "stage.h"

#include "sim/session/frames.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

namespace ringwall::shard {
namespace {

using session::EndReason;
using test::answer;
using test::millisecond;
using test::Options;
using test::page_request;
using test::post;
using test::second;
using test::some_call;
using test::Stage;
using test::takes_upgrade;
using test::upgrade_request;
using test::websocket;

constexpr std::uint32_t key = 0x01020304;
// A node that opens every WebSocket and keeps what it is told there; a test has it answer.
struct Node {
  explicit Node(Stage& stage) {
    stage.node.on_peer = [this](sim::Peer& peer) {
      peers.push_back(&peer);
      peer.on_event = [this](sim::Peer& told) { read(told); };
    };
  }

  void read(sim::Peer& peer) {
    std::string& input = inputs[&peer].append(peer.take_received());
    if (takes_upgrade(peer, input)) return;
    bool broken = false;
    while (const std::optional<sim::Frame> frame = sim::take_frame(input, true, broken)) {
      if (frame->opcode == 1) heard.push_back(frame->payload);
    }
    REQUIRE_FALSE(broken);
  }
  void say(std::string_view text) { peers.back()->send(sim::frame_text(1, text, 0)); }

  std::vector<sim::Peer*> peers;
  std::map<sim::Peer*, std::string> inputs;  // not read yet; looked up, never gone through
  std::vector<std::string> heard;
};

void call(sim::Peer& client, std::string_view text) { client.send(sim::frame_text(1, text, key)); }

// What the client has been told since: its messages, and the code of the Close behind them.
struct Told {
  std::vector<std::string> messages{};
  unsigned close = 0;
};
Told told(sim::Peer& client) {
  std::string input = client.take_received();
  Told all;
  bool broken = false;
  while (const std::optional<sim::Frame> frame = sim::take_frame(input, false, broken)) {
    CHECK(all.close == 0);
    if (frame->opcode == 8) {
      all.close = sim::close_code(frame->payload);
    } else {
      all.messages.push_back(frame->payload);
    }
  }
  CHECK((!broken && input.empty()));
  return all;
}

constexpr std::string_view other_call = R"({"jsonrpc":"2.0","id":2,"method":"system_name"})";
constexpr std::string_view some_answer = R"({"jsonrpc":"2.0","id":1,"result":"ringwall"})";

TEST_CASE("a WebSocket with a call in flight is closed behind the answer, and what it says meanwhile goes nowhere") {
  Stage stage;
  Node node(stage);
  sim::Peer& client = websocket(stage);
  call(client, some_call);
  REQUIRE(stage.run_until([&] { return node.heard.size() == 1; }));
  stage.stop();
  stage.run_for(second);
  CHECK(client.received().empty());
  call(client, other_call);
  stage.run_for(second);
  CHECK(node.heard.size() == 1);
  node.say(some_answer);
  CHECK(stage.stops_within(2 * second));
  stage.world.events().run_until(stage.kernel.now_ns() + second);
  const Told all = told(client);
  CHECK(all.messages == std::vector<std::string>{std::string(some_answer)});
  CHECK(all.close == 1001);
  CHECK(stage.ended(EndReason::stopping) == 1);
}

TEST_CASE("a live subscription holds no WebSocket") {
  Stage stage;
  Node node(stage);
  sim::Peer& client = websocket(stage);
  call(client, R"({"jsonrpc":"2.0","id":1,"method":"chain_subscribeNewHeads"})");
  REQUIRE(stage.run_until([&] { return node.heard.size() == 1; }));
  node.say(R"({"jsonrpc":"2.0","id":1,"result":"abcd"})");
  node.say(R"({"jsonrpc":"2.0","method":"chain_newHead","params":{"subscription":"abcd","result":{}}})");
  stage.run_for(second);
  stage.stop();
  CHECK(stage.stops_within(2 * second));
  const Told all = told(client);
  CHECK(all.messages.size() == 2);
  CHECK(all.close == 1001);
}

TEST_CASE("a call that is never answered ends in a Close, a second before the shard's deadline") {
  Stage stage;
  Node node(stage);
  sim::Peer& client = websocket(stage);
  call(client, some_call);
  REQUIRE(stage.run_until([&] { return node.heard.size() == 1; }));
  stage.stop();
  CHECK_FALSE(stage.stops_within(8800 * millisecond));
  CHECK(client.received().empty());
  stage.run_for(500 * millisecond);
  CHECK(told(client).close == 1001);
  CHECK(stage.stops_within(2 * second));
}

TEST_CASE("a ping is answered while an answer is waited for") {
  Stage stage;
  Node node(stage);
  sim::Peer& client = websocket(stage);
  call(client, some_call);
  REQUIRE(stage.run_until([&] { return node.heard.size() == 1; }));
  stage.stop();
  stage.run_for(second);
  client.send(sim::frame_text(9, "still there?", key));
  stage.run_for(second);
  CHECK(client.take_received() == sim::frame_text(10, "still there?", 0));
  node.say(some_answer);
  CHECK(stage.stops_within(2 * second));
}

TEST_CASE("each session goes at a moment of its own, all within the spread") {
  Stage stage;
  Node node(stage);
  std::vector<sim::Peer*> clients;
  for (int index = 0; index < 40; ++index) clients.push_back(&websocket(stage));
  const std::uint64_t from_ns = stage.kernel.now_ns();
  stage.stop({.spread_ns = 8 * second});
  std::array<int, 4> closed{};  // in each quarter of the time
  std::set<sim::Peer*> seen;
  while (!stage.stopped && stage.kernel.now_ns() < from_ns + 12 * second) {
    stage.turn();
    for (sim::Peer* client : clients) {
      if (client->received().empty() || !seen.insert(client).second) continue;
      ++closed[std::min<std::uint64_t>((stage.kernel.now_ns() - from_ns) / (2 * second), 3)];
    }
  }
  CHECK(stage.stopped);
  CHECK(seen.size() == clients.size());
  // By chance less than one time in a million, and always the same for one seed.
  for (const int count : closed) CHECK((count >= 2 && count <= 24));
}

TEST_CASE("an HTTP client is served until its moment, and told with its next answer that it is the last") {
  Stage stage;
  sim::Peer& client = stage.connect(page_request);
  REQUIRE(stage.run_until([&] { return !client.received().empty(); }));
  (void)client.take_received();
  stage.stop({.spread_ns = 3600 * second});
  stage.run_for(second);
  REQUIRE_FALSE(client.has_ended());
  client.send(page_request);
  CHECK(stage.stops_within(2 * second));
  CHECK(client.received().find("\r\nConnection: close\r\n") != std::string::npos);
  CHECK(client.has_ended());
}

TEST_CASE("one that has just connected may still ask, and is answered") {
  Stage stage;
  sim::Peer& client = stage.connect();
  REQUIRE(stage.run_until([&] { return stage.sessions() == 1; }));
  stage.stop({.spread_ns = 0, .fresh_ns = 5 * second});
  stage.run_for(3 * second);
  client.send(page_request);
  stage.run_for(second);
  CHECK(client.received().starts_with("HTTP/1.1 "));
  CHECK(client.received().find("\r\nConnection: close\r\n") != std::string::npos);
  CHECK(stage.stops_within(2 * second));
}

TEST_CASE("a WebSocket that opens after the stop is closed in order too") {
  Stage stage;
  Node node(stage);
  sim::Peer& client = stage.connect();
  REQUIRE(stage.run_until([&] { return stage.sessions() == 1; }));
  stage.stop({.spread_ns = 0, .fresh_ns = 5 * second});
  stage.run_for(second);
  client.send(upgrade_request);
  stage.run_for(second);
  CHECK(client.take_received().starts_with("HTTP/1.1 101 "));
  CHECK(stage.stops_within(6 * second));
  CHECK(told(client).close == 1001);
}

TEST_CASE("a client that the kernel had accepted when the stop came is served") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    INFO("seed " << seed);
    Options options{.seed = seed};
    options.faults.cancel_loses = options.faults.late_completion = 0.5;
    Stage stage(options);
    stage.run_for(millisecond);
    sim::Peer& client = stage.connect(page_request);
    stage.run_for(sim::Random(seed).below(4 * millisecond));
    stage.stop({.spread_ns = 0, .fresh_ns = second});
    CHECK(stage.stops_within(5 * second));
    stage.world.events().run_until(stage.kernel.now_ns() + second);
    // Or it was still in the queue of a socket that nobody else has.
    CHECK((client.received().starts_with("HTTP/1.1 ") || client.error() != 0));
    if (stage.shard->service().sessions_opened == 1) CHECK(client.received().starts_with("HTTP/1.1 "));
  }
}

TEST_CASE("a listener's several sockets are all served, and all closed") {
  Stage stage({.sockets = 3});
  for (std::uint16_t index = 0; index < 3; ++index) {
    sim::Peer& client = stage.connect_to(Stage::address(static_cast<std::uint16_t>(10 * index)), page_request);
    CHECK(stage.run_until([&] { return client.received().starts_with("HTTP/1.1 "); }));
  }
  stage.stop();
  CHECK(stage.stops_within(2 * second));
}

}  // namespace
}  // namespace ringwall::shard
