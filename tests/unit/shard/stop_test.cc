// How a shard ends: in order, at its deadline, at once.
#include <ringwall/session/session.h>

#include "stage.h"

#include <algorithm>

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

// Well over what a connection lingers for.
constexpr std::uint64_t soon_ns = 1500 * millisecond;

TEST_CASE("an idle shard stops when it is asked to, and leaves nothing") {
  Stage stage;
  stage.run_for(second);
  stage.stop();
  CHECK(stage.stops_within(100 * millisecond));
  CHECK(stage.kernel.operations_in_flight() == 0);
  CHECK(stage.kernel.descriptors_open() == 1);  // the mailbox is its maker's
}

TEST_CASE("a shard that is asked to stop at once before its first turn stops") {
  Stage stage;
  stage.stop();
  stage.stop();
  CHECK(stage.stops_within(100 * millisecond));
}

TEST_CASE("a stop ends idle clients in order, and lets nobody in any more") {
  Stage stage;
  for (int index = 0; index < 5; ++index) stage.connect(page_request);
  stage.connect();  // and one that has said nothing yet
  REQUIRE(stage.run_until([&] { return stage.sessions() == 6; }));
  stage.run_for(second);
  stage.stop();
  stage.run_for(100 * millisecond);
  sim::Peer& late = stage.connect(page_request);
  CHECK(stage.stops_within(soon_ns));
  CHECK(stage.ended(EndReason::stopping) == 6);
  stage.world.events().run_until(stage.kernel.now_ns() + second);
  CHECK(late.error() == ECONNREFUSED);
  for (const sim::Peer& client : stage.clients) CHECK((&client == &late || client.has_ended()));
}

TEST_CASE("a stop at any moment of clients that come and go leaves nothing, whatever the kernel's race") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    INFO("seed " << seed);
    Options options{.seed = seed, .sessions_max = seed % 3 == 0 ? std::size_t{3} : std::size_t{1000}};
    options.faults.cancel_loses = options.faults.multishot_ends = options.faults.late_completion = 0.3;
    options.faults.descriptor_refused = seed % 4 == 0 ? 0.3 : 0;
    Stage stage(options);
    for (int index = 0; index < 8; ++index) stage.connect(page_request, static_cast<std::uint16_t>(index % 2));
    stage.run_for(sim::Random(seed).below(8 * millisecond));
    stage.stop();
    CHECK(stage.stops_within(5 * second));
    CHECK(stage.kernel.descriptors_open() == 1);
    CHECK(stage.kernel.operations_in_flight() == 0);
  }
}

TEST_CASE("a stop waits for an answer that is under way, then ends its client and the node's connection") {
  Stage stage;
  stage.node.on_peer = [&](sim::Peer& node) {
    node.on_event = [&stage](sim::Peer& asked) {
      if (!asked.take_received().ends_with(some_call)) return;
      stage.world.events().after(3 * second, [&asked] { asked.send(answer("[]")); });
    };
  };
  sim::Peer& client = stage.connect(post(some_call));
  stage.run_for(second);
  stage.stop();
  CHECK_FALSE(stage.stops_within(second));
  CHECK(client.received().empty());
  CHECK(stage.stops_within(2 * second));
  CHECK(client.received().ends_with("\r\n\r\n[]"));
  CHECK(client.has_ended());
  CHECK(stage.ended(EndReason::done) == 1);
}

TEST_CASE("a stop closes what waits in the pools") {
  Stage stage;
  stage.node.on_peer = [](sim::Peer& node) {
    node.on_event = [](sim::Peer& asked) {
      if (asked.take_received().ends_with(some_call)) asked.send(answer("[]"));
    };
  };
  sim::Peer& client = stage.connect(post(some_call));
  REQUIRE(stage.run_until([&] { return client.received().ends_with("[]"); }));
  CHECK_FALSE(stage.shard->service().nodes.front()->pool.is_empty());
  stage.stop();
  CHECK(stage.stops_within(soon_ns));
  stage.world.events().run_until(stage.kernel.now_ns() + second);
  CHECK(stage.node.peers().front()->has_ended());
}

// What could keep a shard for ever: a node that does not answer, does not read, or a client that does not read.
enum class Obstacle { silent_node, deaf_node, slow_client };

void put_up(Stage& stage, Obstacle obstacle) {
  stage.node.on_peer = [obstacle](sim::Peer& node) {
    if (obstacle == Obstacle::deaf_node) node.stop_reading();
    node.on_event = [obstacle](sim::Peer& asked) {
      if (obstacle == Obstacle::slow_client && asked.take_received().ends_with(some_call)) {
        asked.send(answer(std::string(2'000'000, 'x')));
      }
    };
  };
  sim::Peer& client =
      stage.connect(post(std::string(some_call).append(obstacle == Obstacle::deaf_node ? 1'000'000 : 0, ' ')));
  // Each time that it is looked at it has taken something, so it is never given up for standing still.
  if (obstacle == Obstacle::slow_client) client.read_slowly(1000, 500 * millisecond);
  stage.run_for(3 * second);
  REQUIRE(stage.sessions() == 1);
}

TEST_CASE("a stop ends at its deadline whatever is still open, and not before") {
  for (const Obstacle obstacle : {Obstacle::silent_node, Obstacle::deaf_node, Obstacle::slow_client}) {
    INFO("obstacle " << static_cast<int>(obstacle));
    Stage stage;
    put_up(stage, obstacle);
    stage.stop();
    CHECK_FALSE(stage.stops_within(9500 * millisecond));
    CHECK(stage.stops_within(second));
    CHECK(stage.sessions() == 0);
  }
}

TEST_CASE("a client that has its answer and is slow to take it does not outlive the deadline either") {
  for (const bool at_once : {false, true}) {
    Stage stage({.socket_bytes = 256});
    sim::Peer& client =
        stage.connect("GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nConnection: close\r\n\r\n");
    client.read_slowly(1, second);
    stage.run_for(5 * second);
    REQUIRE(stage.sessions() == 1);
    CHECK(stage.shard->service().sessions.front()->state() == session::State::ending);
    stage.stop();
    CHECK_FALSE(stage.stops_within(9500 * millisecond));
    if (at_once) stage.stop();
    CHECK(stage.stops_within(at_once ? 100 * millisecond : second));
  }
}

TEST_CASE("a second request to stop ends everything at once") {
  for (const Obstacle obstacle : {Obstacle::silent_node, Obstacle::deaf_node, Obstacle::slow_client}) {
    INFO("obstacle " << static_cast<int>(obstacle));
    Stage stage;
    put_up(stage, obstacle);
    stage.stop();
    stage.run_for(2 * second);
    REQUIRE(stage.sessions() == 1);
    stage.stop();
    CHECK(stage.stops_within(200 * millisecond));
  }
}

TEST_CASE("two requests that are read as one end everything at once") {
  Stage stage;
  put_up(stage, Obstacle::silent_node);
  stage.stop();
  stage.stop();
  CHECK(stage.stops_within(200 * millisecond));
  CHECK(stage.ended(EndReason::stopping) == 1);
}

TEST_CASE("a third request, after the second, changes nothing") {
  Stage stage;
  put_up(stage, Obstacle::silent_node);
  for (int index = 0; index < 3; ++index) {
    stage.stop();
    stage.run_for(10 * test::millisecond);
  }
  CHECK((stage.stopped || stage.stops_within(200 * millisecond)));
}

TEST_CASE("a stop while descriptors have run out is a stop") {
  Stage stage({.descriptors_max = 4});
  stage.connect(page_request);
  stage.connect(page_request);
  REQUIRE(stage.run_until([&] { return !stage.notices.empty(); }));
  stage.stop();
  CHECK(stage.stops_within(soon_ns));
}

TEST_CASE("a stop at the bound of sessions is a stop") {
  Stage stage({.sessions_max = 1});
  stage.connect(page_request);
  stage.connect(page_request);
  REQUIRE(stage.run_until([&] { return stage.sessions() == 1; }));
  stage.run_for(second);
  stage.stop();
  CHECK(stage.stops_within(soon_ns));
  CHECK(stage.shard->service().sessions_opened == 1);
}

}  // namespace
}  // namespace ringwall::shard
