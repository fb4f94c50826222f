// A node that may hang: what a shard's sessions make of being told that it was silent.
#include "stage.h"

#include "sim/session/frames.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::shard {
namespace {

using session::EndReason;
using test::post;
using test::second;
using test::some_call;
using test::Stage;
using test::takes_upgrade;
using test::upgrade_request;
using test::websocket;

// Opens every WebSocket, counts the pings on them, and answers them or not. It answers no call.
struct Node {
  explicit Node(Stage& stage) {
    stage.node.on_peer = [this](sim::Peer& peer) {
      peer.on_event = [this, input = std::string()](sim::Peer& told) mutable { read(told, input); };
    };
  }

  void read(sim::Peer& peer, std::string& input) {
    input.append(peer.take_received());
    if (input.starts_with('P')) return;
    if (takes_upgrade(peer, input)) return;
    bool broken = false;
    while (const std::optional<sim::Frame> frame = sim::take_frame(input, true, broken)) {
      if (frame->opcode != 9) continue;
      ++pings;
      if (answers) peer.send(sim::frame_text(10, frame->payload, 0));
    }
  }

  bool answers = false;
  unsigned pings = 0;
};

// A look at the node that begins now, and is over in a second.
void silent_look(Stage& stage, bool is_failing) {
  stage.run_for(second / 10);
  const std::uint64_t since_ns = stage.kernel.now_ns();
  stage.run_for(second);
  stage.post(
      [=](Shard& told) { told.service().note_silence({.node = 0, .since_ns = since_ns, .is_failing = is_failing}); });
  stage.run_for(second);
}

unsigned close_code(sim::Peer& client) {
  std::string input = client.take_received();
  bool broken = false;
  const std::optional<sim::Frame> frame = sim::take_frame(input, false, broken);
  return frame && frame->opcode == 8 ? sim::close_code(frame->payload) : 0;
}

TEST_CASE("a relay that leaves a ping unanswered from one silent look to the next is closed with 1012") {
  Stage stage;
  Node node(stage);
  sim::Peer& client = websocket(stage);
  silent_look(stage, false);
  CHECK(node.pings == 1);
  CHECK(stage.sessions() == 1);
  silent_look(stage, true);
  CHECK(close_code(client) == 1012);
  CHECK(stage.ended(EndReason::node_slow) == 1);
}

TEST_CASE("a node that is judged at the first silent look is asked all the same before its relays are closed") {
  Stage stage;
  Node node(stage);
  sim::Peer& client = websocket(stage);
  silent_look(stage, true);
  CHECK(node.pings == 1);
  CHECK(close_code(client) == 0);
  silent_look(stage, true);
  CHECK(close_code(client) == 1012);
}

TEST_CASE("no relay is closed while the node is not judged to be failing") {
  Stage stage;
  const Node node(stage);
  websocket(stage);
  for (int look = 0; look < 4; ++look) silent_look(stage, false);
  CHECK(node.pings == 1);
  CHECK(stage.sessions() == 1);
}

TEST_CASE("a relay that hears anything goes on, and is asked again at each silent look") {
  Stage stage;
  Node node(stage);
  node.answers = true;
  websocket(stage);
  for (unsigned look = 1; look <= 4; ++look) {
    silent_look(stage, true);
    CHECK(node.pings == look);
  }
  CHECK(stage.sessions() == 1);
}

TEST_CASE("all relays of a node are told, however many, and another node's are not") {
  Stage stage({.nodes = 2});
  const Node node(stage);
  constexpr std::size_t count = 150;
  for (std::size_t index = 0; index < count; ++index) stage.connect(upgrade_request);
  REQUIRE(stage.run_until([&] { return stage.targets[0].places_taken() == count / 2; }, 10 * second));
  silent_look(stage, false);
  CHECK(node.pings == count / 2);
  silent_look(stage, true);
  CHECK(stage.ended(EndReason::node_slow) == count / 2);
  CHECK(stage.targets[0].places_taken() == 0);
}

TEST_CASE(
    "a request that has waited for all of a silent look gets 504 when the node is failing, a later one does not") {
  Stage stage;
  const Node node(stage);
  sim::Peer& early = stage.connect(post(some_call));
  stage.run_for(second);
  silent_look(stage, false);
  CHECK(early.received().empty());
  const std::uint64_t since_ns = stage.kernel.now_ns();
  stage.run_for(second);
  sim::Peer& late = stage.connect(post(some_call));
  stage.run_for(second);
  stage.post([=](Shard& told) { told.service().note_silence({.node = 0, .since_ns = since_ns, .is_failing = true}); });
  stage.run_for(second);
  CHECK(early.received().starts_with("HTTP/1.1 504 "));
  CHECK(late.received().empty());
  silent_look(stage, true);
  CHECK(late.received().starts_with("HTTP/1.1 504 "));
}

TEST_CASE("a shard stops while its sessions are still being told") {
  Stage stage;
  const Node node(stage);
  for (int index = 0; index < 150; ++index) stage.connect(upgrade_request);
  REQUIRE(stage.run_until([&] { return stage.targets[0].places_taken() == 150; }, 10 * second));
  stage.post([](Shard& told) { told.service().note_silence({.node = 0, .since_ns = UINT64_MAX, .is_failing = true}); });
  stage.stop();
  stage.stop();
  CHECK(stage.stops_within(10 * second));
}

}  // namespace
}  // namespace ringwall::shard
