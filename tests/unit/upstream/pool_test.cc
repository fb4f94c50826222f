#include <ringwall/upstream/pool.h>

#include "unit/catch.h"
#include "unit/connection/stage.h"
#include "unit/ring/death.h"

#include <memory>
#include <string>

namespace ringwall::upstream {
namespace {

using connection::Connection;
using connection::test::Options;
using connection::test::Recorder;
using connection::test::second;
using connection::test::Stage;
using connection::test::text_of;

constexpr std::uint64_t idle_timeout_ns = 10 * second;

// A pool, its node, and whoever uses its connections.
struct Nodes {
  explicit Nodes(std::size_t idle_max = 4, const Options& options = {.linger_ns = 5 * second})
      : stage(options), server(stage.world, Stage::node_address()), pool(stage.resources, idle_max, idle_timeout_ns) {}
  ~Nodes() {
    pool.stop(true);
    RINGWALL_CHECK(stage.run_until([&] { return pool.is_empty(); }));
  }

  // A connection to the node, `node` being its other end.
  std::unique_ptr<Connection> connect() {
    user.told.clear();
    auto connection = std::make_unique<Connection>(stage.resources, user);
    connection->connect(Stage::node_address(), 5 * second);
    REQUIRE(stage.run_until([&] { return user.heard("connected"); }));
    return connection;
  }
  sim::Peer& node(std::size_t index) { return *server.peers().at(index); }
  bool empties(std::uint64_t within_ns = second) {
    return stage.run_until([&] { return pool.is_empty(); }, within_ns);
  }

  Stage stage;
  sim::Server server;
  Recorder user;
  Pool pool;
};

TEST_CASE("a pool gives what was put in last, and nothing when it has nothing") {
  Nodes nodes;
  CHECK(nodes.pool.take() == nullptr);
  std::vector<const Connection*> put;
  for (int index = 0; index < 3; ++index) {
    auto connection = nodes.connect();
    put.push_back(connection.get());
    nodes.pool.put(std::move(connection));
  }
  for (int index = 2; index >= 0; --index) {
    auto taken = nodes.pool.take();
    CHECK(taken.get() == put[static_cast<std::size_t>(index)]);
    nodes.pool.retire(std::move(taken));
  }
  CHECK(nodes.pool.take() == nullptr);
}

TEST_CASE("a connection that was taken serves its new owner") {
  Nodes nodes;
  nodes.pool.put(nodes.connect());
  nodes.stage.run_for(Stage::moment_ns);
  auto connection = nodes.pool.take();
  REQUIRE(connection);
  Recorder next;
  connection->set_owner(next);
  connection->send_copy("a request");
  REQUIRE(nodes.stage.run_until([&] { return nodes.node(0).received() == "a request"; }));
  nodes.node(0).send("an answer");
  REQUIRE(nodes.stage.run_until([&] { return next.received == "an answer"; }));
  CHECK(next.told.empty());
  nodes.pool.put(std::move(connection));
  CHECK_FALSE(nodes.pool.is_empty());
}

TEST_CASE("an idle connection is closed in order after its time, each after its own") {
  Nodes nodes;
  nodes.pool.put(nodes.connect());
  nodes.stage.run_for(5 * second);
  nodes.pool.put(nodes.connect());
  nodes.stage.run_for(4 * second);
  CHECK_FALSE(nodes.node(0).is_over());
  nodes.stage.run_for(1100 * sim::millisecond);
  CHECK(nodes.node(0).has_ended());
  CHECK(nodes.node(0).error() == 0);
  CHECK_FALSE(nodes.node(1).is_over());
  nodes.stage.run_for(5 * second);
  CHECK(nodes.node(1).has_ended());
  nodes.node(0).close();
  nodes.node(1).close();
  CHECK(nodes.empties());
}

TEST_CASE("the time of a connection begins anew each time that it is put back") {
  Nodes nodes;
  nodes.pool.put(nodes.connect());
  for (int round = 0; round < 3; ++round) {
    nodes.stage.run_for(9 * second);
    auto connection = nodes.pool.take();
    REQUIRE(connection);
    nodes.pool.put(std::move(connection));
  }
  nodes.stage.run_for(9 * second);
  CHECK_FALSE(nodes.node(0).is_over());
  nodes.stage.run_for(2 * second);
  CHECK(nodes.node(0).has_ended());
}

TEST_CASE("whatever a node says or does to an idle connection closes it") {
  enum class Act { speaks, ends, resets };
  for (const Act act : {Act::speaks, Act::ends, Act::resets}) {
    INFO("act " << static_cast<int>(act));
    Nodes nodes;
    nodes.pool.put(nodes.connect());
    auto other = nodes.connect();
    const Connection* const stays = other.get();
    nodes.pool.put(std::move(other));
    if (act == Act::speaks) nodes.node(0).send("HTTP/1.1 408 Request Timeout\r\n\r\n");
    if (act == Act::ends) nodes.node(0).half_close();
    if (act == Act::resets) nodes.node(0).reset();
    nodes.stage.run_for(Stage::moment_ns);
    if (act != Act::resets) CHECK(nodes.node(0).has_ended());
    auto taken = nodes.pool.take();
    CHECK(taken.get() == stays);
    CHECK(nodes.pool.take() == nullptr);
    nodes.pool.retire(std::move(taken));
    nodes.node(0).close();
    nodes.node(1).close();
    CHECK(nodes.empties());
  }
}

TEST_CASE(
    "of more than may wait, the one that has waited longest is closed in order after a moment, and the others stay") {
  Nodes nodes(2);
  for (int index = 0; index < 3; ++index) nodes.pool.put(nodes.connect());
  nodes.stage.run_for(Pool::surplus_ns * 9 / 10);
  CHECK_FALSE(nodes.node(0).has_ended());
  REQUIRE(nodes.stage.run_until([&] { return nodes.node(0).has_ended(); }));
  nodes.stage.run_for(2 * second);
  CHECK_FALSE(nodes.node(1).is_over());
  CHECK_FALSE(nodes.node(2).is_over());
}

TEST_CASE("a surplus that is used again within its time is not closed") {
  Nodes nodes(2);
  for (int index = 0; index < 4; ++index) nodes.pool.put(nodes.connect());
  for (int round = 0; round < 5; ++round) {
    nodes.stage.run_for(Pool::surplus_ns / 2);
    std::vector<std::unique_ptr<Connection>> taken;
    while (auto connection = nodes.pool.take()) taken.push_back(std::move(connection));
    CHECK(taken.size() == 4);
    for (auto& connection : taken) nodes.pool.put(std::move(connection));
  }
}

TEST_CASE("as many as stay are kept beside them for a moment, and one more is closed at once") {
  constexpr std::size_t most = 2 * 3;
  Nodes nodes(3);
  for (std::size_t index = 0; index < most; ++index) {
    nodes.pool.put(nodes.connect());
    // Within the time of the first.
    REQUIRE_FALSE(nodes.node(0).has_ended());
  }
  nodes.pool.put(nodes.connect());
  REQUIRE(nodes.stage.run_until([&] { return nodes.node(most).has_ended(); }, Stage::moment_ns));
}

TEST_CASE("a pool for none closes all that is put in") {
  Nodes nodes(0);
  nodes.pool.put(nodes.connect());
  CHECK(nodes.pool.take() == nullptr);
  REQUIRE(nodes.stage.run_until([&] { return nodes.node(0).has_ended(); }));
}

TEST_CASE("a connection that has ended is not kept") {
  Nodes nodes;
  auto ended = nodes.connect();
  nodes.node(0).half_close();
  REQUIRE(nodes.stage.run_until([&] { return ended->has_ended(); }));
  nodes.pool.put(std::move(ended));
  CHECK(nodes.pool.take() == nullptr);
  auto failed = nodes.connect();
  nodes.node(1).reset();
  REQUIRE(nodes.stage.run_until([&] { return nodes.user.heard("failed: reset"); }));
  nodes.pool.put(std::move(failed));
  CHECK(nodes.pool.take() == nullptr);
  CHECK(nodes.empties());
}

TEST_CASE("a connection that was paused is watched again when it is put back") {
  Nodes nodes;
  auto connection = nodes.connect();
  connection->pause_receiving();
  nodes.stage.run_for(Stage::moment_ns);
  nodes.pool.put(std::move(connection));
  nodes.node(0).half_close();
  nodes.stage.run_for(Stage::moment_ns);
  CHECK(nodes.pool.take() == nullptr);
}

TEST_CASE("a connection may be retired in any state, and ends there") {
  enum class State { made, connecting, refused, open, paused, behind, finishing, lingering, aborted, failed, closed };
  for (int number = 0; number <= static_cast<int>(State::closed); ++number) {
    INFO("state " << number);
    const auto state = static_cast<State>(number);
    Nodes nodes(4, {.send_timeout_ns = 3 * second, .linger_ns = second});
    std::unique_ptr<Connection> connection;
    if (state == State::made || state == State::connecting || state == State::refused) {
      nodes.server.mode = state == State::refused ? sim::Answer::refuse : sim::Answer::ignore;
      connection = std::make_unique<Connection>(nodes.stage.resources, nodes.user);
      if (state != State::made) connection->connect(Stage::node_address(), 5 * second);
      if (state == State::refused) REQUIRE(nodes.stage.run_until([&] { return nodes.user.heard("failed: refused"); }));
    } else {
      connection = nodes.connect();
      if (state == State::paused) connection->pause_receiving();
      if (state == State::behind) {
        nodes.node(0).stop_reading();
        connection->send_copy(text_of(400'000));
        REQUIRE(nodes.stage.run_until([&] { return connection->is_congested(); }));
      }
      if (state == State::finishing) connection->finish();
      if (state == State::lingering) {
        connection->finish();
        REQUIRE(nodes.stage.run_until([&] { return nodes.node(0).has_ended(); }));
      }
      if (state == State::aborted) connection->abort();
      if (state == State::failed) {
        nodes.node(0).reset();
        REQUIRE(nodes.stage.run_until([&] { return nodes.user.heard("failed: reset"); }));
      }
      if (state == State::closed) {
        connection->abort();
        REQUIRE(nodes.stage.run_until([&] { return connection->is_closed(); }));
      }
    }
    const long closed = nodes.user.count("closed");
    nodes.pool.retire(std::move(connection));
    CHECK(nodes.empties(15 * second));
    CHECK(nodes.user.count("closed") == closed);
    CHECK(nodes.stage.kernel.operations_in_flight() == 0);
    CHECK(nodes.stage.backlog.used() == 0);
  }
}

TEST_CASE("stop closes all that waits, and all that is put in later") {
  Nodes nodes;
  nodes.pool.put(nodes.connect());
  nodes.pool.put(nodes.connect());
  auto in_use = nodes.connect();
  nodes.pool.stop(false);
  CHECK(nodes.pool.take() == nullptr);
  nodes.pool.put(std::move(in_use));
  CHECK(nodes.pool.take() == nullptr);
  for (std::size_t index = 0; index < 3; ++index) {
    REQUIRE(nodes.stage.run_until([&] { return nodes.node(index).has_ended(); }));
    CHECK(nodes.node(index).error() == 0);
    nodes.node(index).close();
  }
  CHECK(nodes.empties());
}

TEST_CASE("stop at once does not wait for a node that does not read") {
  Nodes nodes;
  auto connection = nodes.connect();
  nodes.node(0).stop_reading();
  connection->send_copy(text_of(400'000));
  nodes.stage.run_for(second);
  nodes.pool.retire(std::move(connection));
  nodes.pool.stop(false);
  nodes.stage.run_for(second);
  CHECK_FALSE(nodes.pool.is_empty());
  nodes.pool.stop(true);
  CHECK(nodes.empties());
}

TEST_CASE("a pool that goes before its connections is noticed") {
  CHECK(aborts([] {
    Nodes nodes;
    Pool pool(nodes.stage.resources, 4, second);
    pool.put(nodes.connect());
  }));
}

}  // namespace
}  // namespace ringwall::upstream
