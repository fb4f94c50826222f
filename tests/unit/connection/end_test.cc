// How a connection begins and ends: finish, cut, abort, failure, and that nothing is freed before it is joined.
#include "stage.h"
#include "unit/catch.h"

#include <algorithm>
#include <cerrno>

namespace ringwall::connection {
namespace {

using test::Link;
using test::millisecond;
using test::Options;
using test::second;
using test::Stage;
using test::text_of;
using Told = std::vector<std::string>;

constexpr std::uint64_t seeds = 6;

TEST_CASE("finish sends all that was queued, then FIN, and waits for the peer's own end") {
  const std::string text = text_of(400'000);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Stage stage({.seed = seed, .faults = test::harmless_faults(), .linger_ns = 30 * second});
    Link link(stage);
    link.connection.send_copy(text);
    link.connection.finish();
    CHECK_FALSE(link.connection.is_open());
    REQUIRE(stage.run_until([&] { return link.peer.has_ended(); }));
    CHECK(link.peer.received() == text);
    CHECK(link.peer.error() == 0);
    CHECK_FALSE(link.is_closed());
    link.peer.close();
    REQUIRE(stage.run_until([&] { return link.is_closed(); }, 5 * second));
    CHECK(link.owner.count("closed") == 1);
    CHECK(link.owner.told.back() == "closed");
  }
}

TEST_CASE("the wait for the peer's own end is bounded") {
  Stage stage({.linger_ns = 800 * millisecond});
  Link link(stage);
  link.connection.finish();
  REQUIRE(stage.run_until([&] { return link.peer.has_ended(); }));
  stage.run_for(600 * millisecond);
  CHECK_FALSE(link.is_closed());
  REQUIRE(stage.run_until([&] { return link.is_closed(); }, 400 * millisecond));
  CHECK(link.owner.told == Told{"closed"});
}

TEST_CASE("a connection whose peer ended first closes as soon as its own end has been said") {
  Stage stage({.linger_ns = 30 * second});
  Link link(stage);
  link.peer.half_close();
  REQUIRE(stage.run_until([&] { return link.connection.has_ended(); }));
  link.connection.send_copy("good bye");
  link.connection.finish();
  REQUIRE(stage.run_until([&] { return link.is_closed(); }, second));
  REQUIRE(stage.run_until([&] { return link.peer.has_ended(); }));
  CHECK(link.peer.received() == "good bye");
}

TEST_CASE("what a peer goes on to send does not turn a finish into a reset, and is not handed over") {
  const std::string text = text_of(200'000);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Stage stage({.seed = seed, .faults = test::harmless_faults(), .linger_ns = 5 * second});
    Link link(stage);
    link.connection.pause_receiving();
    stage.run_for(Stage::moment_ns);
    link.peer.send(text_of(300'000));
    stage.run_for(Stage::moment_ns);
    link.connection.send_copy(text);
    link.connection.finish();
    REQUIRE(stage.run_until([&] { return link.peer.is_over(); }));
    CHECK(link.peer.error() == 0);
    CHECK(link.peer.received() == text);
    CHECK(link.owner.received.empty());
    link.peer.close();
    REQUIRE(stage.run_until([&] { return link.is_closed(); }));
  }
}

TEST_CASE("a finish waits for a slow reader, and is given up when the reader stands still") {
  Stage stage({.send_timeout_ns = 10 * second});
  const std::string text = text_of(200'000);
  Link slow(stage);
  slow.peer.read_slowly(2000, 2 * second);
  slow.connection.send_copy(text);
  slow.connection.finish();
  REQUIRE(stage.run_until([&] { return slow.peer.has_ended(); }, 1000 * second));
  CHECK(slow.peer.received() == text);

  Link stuck(stage);
  stuck.peer.stop_reading();
  stuck.connection.send_copy(text_of(500'000));
  stuck.connection.finish();
  REQUIRE(stage.run_until([&] { return stuck.is_closed(); }, 25 * second));
  CHECK(stuck.owner.told == Told{"closed"});
  stuck.peer.read_at_once();
  REQUIRE(stage.run_until([&] { return stuck.peer.is_over(); }));
  CHECK(stuck.peer.error() == ECONNRESET);
}

TEST_CASE("a finish that cannot be carried out for want of backlog is seen as cut short") {
  Stage stage({.backlog_bytes = 100'000});
  Link link(stage);
  link.peer.stop_reading();
  link.connection.send_copy(text_of(500'000));
  link.connection.finish();
  REQUIRE(stage.run_until([&] { return link.is_closed(); }));
  CHECK(link.owner.told == Told{"closed"});
  link.peer.read_at_once();
  REQUIRE(stage.run_until([&] { return link.peer.is_over(); }));
  CHECK(link.peer.error() == ECONNRESET);
}

TEST_CASE("nothing is sent after finish, and a second finish changes nothing") {
  Stage stage;
  Link link(stage);
  link.connection.send_copy("all");
  link.connection.finish();
  link.connection.send_copy("too late");
  link.connection.finish();
  link.connection.cut();
  REQUIRE(stage.run_until([&] { return link.is_closed(); }));
  CHECK(link.peer.received() == "all");
  CHECK(link.owner.told == Told{"closed"});
}

TEST_CASE("abort resets at once, whatever is queued, and is told as closed alone") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Stage stage({.seed = seed, .faults = test::harmless_faults()});
    Link link(stage);
    link.peer.stop_reading();
    link.connection.send_copy(text_of(500'000));
    stage.run_for(second);
    link.connection.abort();
    link.connection.abort();
    CHECK_FALSE(link.connection.is_open());
    CHECK_FALSE(link.is_closed());
    REQUIRE(stage.run_until([&] { return link.is_closed(); }, second));
    CHECK(link.owner.told == Told{"congested", "closed"});
    CHECK(stage.backlog.used() == 0);
    link.peer.read_at_once();
    REQUIRE(stage.run_until([&] { return link.peer.is_over(); }));
    CHECK(link.peer.error() == ECONNRESET);
  }
}

TEST_CASE("an abort asks the kernel once for each operation in flight, however late that ends") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Options options{.seed = seed};
    options.faults.late_completion = 1;
    Stage stage(options);
    Link link(stage);
    link.peer.stop_reading();
    link.connection.send_copy(text_of(400'000));
    link.connection.pause_receiving();
    REQUIRE(stage.run_until([&] { return link.connection.is_congested(); }));
    link.connection.resume_receiving();
    stage.run_for(second);
    // A receive, a send and the poll for a reset: they are cancelled, then the socket is closed.
    REQUIRE(stage.ring.operations_in_flight() == 3);
    const std::uint64_t before = stage.ring.counters().submitted;
    link.connection.abort();
    REQUIRE(stage.run_until([&] { return link.is_closed(); }));
    CHECK(stage.ring.counters().submitted == before + 4);
  }
}

TEST_CASE("abort ends a finish that takes its time") {
  Stage stage({.linger_ns = 30 * second});
  Link lingers(stage);
  lingers.connection.finish();
  REQUIRE(stage.run_until([&] { return lingers.peer.has_ended(); }));
  lingers.connection.abort();
  REQUIRE(stage.run_until([&] { return lingers.is_closed(); }, second));

  Link sends(stage);
  sends.peer.stop_reading();
  sends.connection.send_copy(text_of(500'000));
  sends.connection.finish();
  stage.run_for(second);
  sends.connection.abort();
  REQUIRE(stage.run_until([&] { return sends.is_closed(); }, second));
}

TEST_CASE("a peer that resets while we finish ends it quietly") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Stage stage({.seed = seed, .linger_ns = 30 * second});
    Link link(stage);
    link.peer.stop_reading();
    if (seed % 2 == 0) link.connection.send_copy(text_of(500'000));
    link.connection.finish();
    stage.run_for(Stage::moment_ns);
    link.peer.reset();
    REQUIRE(stage.run_until([&] { return link.is_closed(); }, second));
    CHECK(link.owner.told == Told{"closed"});
  }
}

TEST_CASE("at on_closed nothing is in flight, the descriptor is free, and the owner may destroy the connection") {
  enum class Ending { finish, cut, abort, reset, both };
  for (const Ending ending : {Ending::finish, Ending::cut, Ending::abort, Ending::reset, Ending::both}) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      INFO("ending " << static_cast<int>(ending) << ", seed " << seed);
      Stage stage({.seed = seed, .faults = test::harmless_faults()});
      const unsigned descriptors = stage.kernel.descriptors_open();
      sim::Peer peer(stage.world);
      peer.connect(Stage::address(), sim::address_of("203.0.113.7", 1234));
      test::Recorder owner;
      auto connection = std::make_unique<Connection>(stage.resources, owner);
      connection->adopt(stage.accept(), nullptr);
      unsigned in_flight = 99;
      owner.when_closed = [&] {
        in_flight = stage.kernel.operations_in_flight();
        CHECK(stage.kernel.descriptors_open() == descriptors);
        connection.reset();
      };
      peer.stop_reading();
      peer.send(text_of(100'000));
      connection->send_copy(text_of(seed % 3 == 0 ? 500'000 : 10));
      stage.run_for(sim::Random(seed).below(20 * millisecond));
      // What is queued in this very turn is not waited for by anyone.
      connection->send_copy("last");
      if (ending == Ending::finish || ending == Ending::both) connection->finish();
      if (ending == Ending::cut) connection->cut();
      if (ending == Ending::abort || ending == Ending::both) connection->abort();
      if (ending == Ending::reset) peer.reset();
      REQUIRE(stage.run_until([&] { return connection == nullptr; }, 60 * second));
      CHECK(in_flight == 0);
      CHECK(stage.ring.operations_in_flight() == 0);
      CHECK(stage.backlog.used() == 0);
      stage.turn();
    }
  }
}

// Connecting --------------------------------------------------------------------------------------------------------

struct Outgoing {
  explicit Outgoing(Stage& stage_in) : stage(stage_in) {}
  ~Outgoing() {
    connection.abort();
    RINGWALL_CHECK(stage.run_until([&] { return connection.is_closed(); }));
  }

  Stage& stage;
  test::Recorder owner;
  Connection connection{stage.resources, owner};
};

TEST_CASE("a connect that succeeds is told, and bytes flow both ways") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Stage stage({.seed = seed, .faults = test::harmless_faults()});
    sim::Server server(stage.world, Stage::node_address());
    server.on_peer = [](sim::Peer& peer) { peer.send("welcome"); };
    Outgoing outgoing(stage);
    outgoing.owner.when_told = [&] {
      if (outgoing.owner.told == Told{"connected"}) outgoing.connection.send_copy("hello");
    };
    outgoing.connection.connect(Stage::node_address(), 5 * second);
    CHECK(outgoing.owner.told.empty());
    CHECK_FALSE(outgoing.connection.is_open());
    REQUIRE(stage.run_until([&] { return outgoing.owner.received == "welcome"; }));
    REQUIRE(stage.run_until([&] { return server.peers().front()->received() == "hello"; }));
    stage.run_for(20 * second);
    CHECK(outgoing.owner.count("connected") == 1);
    CHECK(outgoing.connection.is_open());
  }
}

TEST_CASE("a connect that is refused is told as refused, then closed") {
  Stage stage;
  Outgoing outgoing(stage);
  outgoing.connection.connect(Stage::node_address(), 5 * second);
  REQUIRE(stage.run_until([&] { return outgoing.connection.is_closed(); }));
  CHECK(outgoing.owner.told == Told{"failed: refused", "closed"});
  CHECK(outgoing.connection.last_errno() == ECONNREFUSED);
}

TEST_CASE("a connect without an answer is given up after the time given, and not before") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Stage stage({.seed = seed, .faults = test::harmless_faults()});
    sim::Server server(stage.world, Stage::node_address());
    server.mode = sim::Answer::ignore;
    Outgoing outgoing(stage);
    outgoing.connection.connect(Stage::node_address(), 5 * second);
    stage.run_for(4900 * millisecond);
    CHECK(outgoing.owner.told.empty());
    REQUIRE(stage.run_until([&] { return outgoing.connection.is_closed(); }, second));
    CHECK(outgoing.owner.told == Told{"failed: connect_timeout", "closed"});
  }
}

TEST_CASE("no descriptor for a socket is told as a failure of the system, and never from inside connect") {
  Stage stage({.descriptors_max = 1});
  Outgoing outgoing(stage);
  outgoing.connection.connect(Stage::node_address(), 5 * second);
  CHECK(outgoing.owner.told.empty());
  REQUIRE(stage.run_until([&] { return outgoing.connection.is_closed(); }, second));
  CHECK(outgoing.owner.told == Told{"failed: system", "closed"});
  CHECK(outgoing.connection.last_errno() == EMFILE);
}

TEST_CASE("abort and finish end a connect that is under way, with or without a socket") {
  for (const unsigned descriptors : {1U, 10U}) {
    for (const bool in_order : {false, true}) {
      for (const std::uint64_t after_ns : {std::uint64_t{0}, 100 * test::millisecond}) {
        INFO(descriptors << " " << in_order << " " << after_ns);
        Stage stage({.descriptors_max = descriptors});
        sim::Server server(stage.world, Stage::node_address());
        server.mode = sim::Answer::ignore;
        Outgoing outgoing(stage);
        outgoing.connection.connect(Stage::node_address(), 5 * second);
        if (descriptors > 1) stage.run_for(after_ns);
        if (in_order) {
          outgoing.connection.finish();
        } else {
          outgoing.connection.abort();
        }
        REQUIRE(stage.run_until([&] { return outgoing.connection.is_closed(); }, second));
        CHECK(outgoing.owner.told == Told{"closed"});
      }
    }
  }
}

TEST_CASE("an abort that meets the connect's success is an abort") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    INFO("seed " << seed);
    Stage stage({.seed = seed, .faults = test::harmless_faults()});
    sim::Server server(stage.world, Stage::node_address());
    Outgoing outgoing(stage);
    outgoing.connection.connect(Stage::node_address(), 5 * second);
    stage.run_for(sim::Random(seed).below(8 * millisecond));
    const bool was_connected = outgoing.owner.heard("connected");
    outgoing.connection.abort();
    REQUIRE(stage.run_until([&] { return outgoing.connection.is_closed(); }, second));
    CHECK(outgoing.owner.told == (was_connected ? Told{"connected", "closed"} : Told{"closed"}));
  }
}

TEST_CASE("each failure has a name of its own") {
  std::vector<std::string_view> names;
  for (const Failure failure : {Failure::none, Failure::reset, Failure::refused, Failure::connect_time,
                                Failure::send_time, Failure::backlog_full, Failure::transport, Failure::system}) {
    CHECK(std::ranges::count(names, name(failure)) == 0);
    CHECK(name(failure) != "unknown");
    names.push_back(name(failure));
  }
}

}  // namespace
}  // namespace ringwall::connection
