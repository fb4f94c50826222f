// What a peer sends, how it is paused, and how buffers are shared.
#include "stage.h"
#include "unit/catch.h"

#include <algorithm>
#include <utility>

namespace ringwall::connection {
namespace {

using test::Link;
using test::Options;
using test::Stage;
using test::text_of;
using Told = std::vector<std::string>;

constexpr std::uint64_t seeds = 6;

TEST_CASE("what a peer sends is handed over whole and in order, then its end, once") {
  const std::string text = text_of(300'000);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Stage stage({.seed = seed, .faults = test::harmless_faults()});
    Link link(stage);
    link.peer.send(text);
    link.peer.half_close();
    REQUIRE(stage.run_until([&] { return link.connection.has_ended(); }));
    stage.run_for(Stage::moment_ns);
    CHECK(link.owner.received == text);
    CHECK(link.owner.told == Told{"ended by fin"});
    CHECK(link.connection.bytes_received() == text.size());
    CHECK(link.connection.is_open());
  }
}

TEST_CASE("a peer that has ended its direction can still be sent to") {
  Stage stage;
  Link link(stage);
  link.peer.send("a question");
  link.peer.half_close();
  REQUIRE(stage.run_until([&] { return link.connection.has_ended(); }));
  link.connection.send_copy("an answer");
  REQUIRE(stage.run_until([&] { return link.peer.received() == "an answer"; }));
}

TEST_CASE("a paused connection hands nothing over, fills the peer's window, and loses nothing") {
  const std::string text = text_of(400'000);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Stage stage({.seed = seed, .faults = test::harmless_faults()});
    Link link(stage);
    link.connection.pause_receiving();
    CHECK(link.connection.is_paused());
    stage.run_for(Stage::moment_ns);
    link.peer.send(text);
    stage.run_for(5 * test::second);
    CHECK(link.owner.received.empty());
    CHECK(link.peer.queued() > 0);
    CHECK(stage.buffers.available() == stage.buffers.count());
    link.connection.resume_receiving();
    REQUIRE(stage.run_until([&] { return link.owner.received.size() == text.size(); }));
    CHECK(link.owner.received == text);
  }
}

TEST_CASE("pausing and resuming at any time, twice or in the same turn, keeps bytes and order") {
  const std::string text = text_of(300'000);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Stage stage({.seed = seed, .faults = test::harmless_faults()});
    Link link(stage);
    sim::Random random(seed);
    const auto toggle = [&] {
      for (std::uint64_t left = random.below(4); left > 0; --left) {
        if (random.below(2) == 0) {
          link.connection.pause_receiving();
        } else {
          link.connection.resume_receiving();
        }
      }
    };
    link.owner.when_received = toggle;
    link.peer.send(text);
    link.peer.half_close();
    const auto step = [&] {
      toggle();
      return link.connection.has_ended();
    };
    REQUIRE(stage.run_until(step));
    CHECK(link.owner.received == text);
  }
}

TEST_CASE("a pause holds whatever was asked for just before") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    INFO("seed " << seed);
    Options options{.seed = seed};
    options.faults.completions_held = options.faults.late_completion = options.faults.cancel_loses = 0.5;
    Stage stage(options);
    Link link(stage);
    sim::Random random(seed);
    for (int round = 0; round < 20; ++round) {
      for (std::uint64_t left = random.below(4); left > 0; --left) {
        link.connection.pause_receiving();
        if (random.below(2) == 0) stage.turn();
        link.connection.resume_receiving();
        if (random.below(2) == 0) stage.turn();
      }
      link.connection.pause_receiving();
      stage.run_for(Stage::moment_ns);
      const std::size_t received = link.owner.received.size();
      link.peer.send("more");
      stage.run_for(Stage::moment_ns);
      CHECK(link.owner.received.size() == received);
      link.connection.resume_receiving();
    }
    REQUIRE(stage.run_until([&] { return link.owner.received.size() == 20 * 4; }));
  }
}

TEST_CASE("a pause is not undone by the turn's own restarts of the receive") {
  Stage stage;
  Link link(stage);
  link.peer.send("first");
  REQUIRE(stage.run_until([&] { return link.owner.received == "first"; }));
  link.connection.pause_receiving();
  link.connection.resume_receiving();
  link.connection.pause_receiving();
  stage.run_for(Stage::moment_ns);
  link.peer.send("second");
  stage.run_for(test::second);
  CHECK(link.owner.received == "first");
  link.connection.resume_receiving();
  REQUIRE(stage.run_until([&] { return link.owner.received == "firstsecond"; }));
}

TEST_CASE("what is expected in bulk comes in large pieces, and in small ones again when little is left") {
  const std::string text = text_of(400'000);
  Stage stage;
  Link link(stage);
  std::size_t largest_bytes = 0;
  std::size_t before_bytes = 0;
  link.owner.when_received = [&] {
    const std::size_t received = link.owner.received.size();
    largest_bytes = std::max(largest_bytes, received - std::exchange(before_bytes, received));
    link.connection.expect(text.size() - received);
  };
  link.peer.send(text);
  REQUIRE(stage.run_until([&] { return link.owner.received.size() == text.size(); }));
  CHECK(link.owner.received == text);
  CHECK(largest_bytes > stage.buffers.buffer_bytes());

  link.owner.when_received = nullptr;
  link.peer.send("and a little");
  REQUIRE(stage.run_until([&] { return link.owner.received.ends_with("and a little"); }));
}

TEST_CASE("after a pause what is expected in bulk comes in small pieces too: whoever it is for is behind") {
  const std::string text = text_of(400'000);
  Stage stage;
  Link link(stage);
  link.connection.expect(1 << 20);
  link.connection.pause_receiving();
  link.peer.send(text);
  stage.run_for(Stage::moment_ns);
  link.owner.when_received = [&, before_bytes = std::size_t{0}]() mutable {
    const std::size_t received = link.owner.received.size();
    CHECK(received - std::exchange(before_bytes, received) <= stage.buffers.buffer_bytes());
    link.connection.expect(1 << 20);
    // Each time that it falls behind again.
    link.connection.pause_receiving();
    link.connection.resume_receiving();
  };
  link.connection.resume_receiving();
  REQUIRE(stage.run_until([&] { return link.owner.received.size() >= 100'000; }));
}

TEST_CASE("bytes keep their order whatever is expected, in bulk or not, with large buffers or without one free") {
  const std::string text = text_of(400'000);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Stage stage({.seed = seed, .faults = test::harmless_faults()});
    Link first(stage), second(stage), third(stage);
    std::uint64_t state = seed;
    for (Link* link : {&first, &second, &third}) {
      link->owner.when_received = [&state, link] {
        state = state * 6364136223846793005 + 1442695040888963407;
        link->connection.expect(state % 3 == 0 ? 0 : 1 << 20);
        if (state % 7 == 0) link->connection.pause_receiving();
      };
      link->peer.send(text);
    }
    const auto all_is_here = [&] {
      for (Link* link : {&first, &second, &third}) {
        if (link->connection.is_paused()) link->connection.resume_receiving();
      }
      return first.owner.received == text && second.owner.received == text && third.owner.received == text;
    };
    REQUIRE(stage.run_until(all_is_here));
    CHECK(stage.large_buffers.available() == stage.large_buffers.count());
  }
}

TEST_CASE("a peer that takes more than a quarter of the buffers in a turn waits for the next one") {
  const std::string text = text_of(400'000);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Stage stage({.seed = seed, .socket_bytes = 256 * 1024});
    Link hasty(stage);
    hasty.peer.send(text);
    // All of it has arrived before the shard looks.
    stage.world.events().run_until(stage.kernel.now_ns() + 10 * test::second);
    REQUIRE(stage.run_until([&] { return hasty.owner.received.size() == text.size(); }));
    CHECK(hasty.owner.received == text);
    CHECK(stage.resources.counters.share_exceeded > 0);
  }
}

TEST_CASE("peers who send more than all buffers hold do not hold up one who says little") {
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    INFO("seed " << seed);
    Stage stage({.seed = seed, .socket_bytes = 256 * 1024});
    Link first(stage);
    Link second(stage);
    Link modest(stage);
    for (Link* hasty : {&first, &second}) hasty->peer.send(text_of(600'000));
    stage.run_for(Stage::moment_ns);
    modest.peer.send("hello");
    stage.world.events().run_until(stage.kernel.now_ns() + Stage::moment_ns);
    const std::uint64_t turns = stage.ring.counters().turns;
    REQUIRE(stage.run_until([&] { return modest.owner.received == "hello"; }));
    CHECK(stage.ring.counters().turns - turns <= 3);
  }
}

TEST_CASE("running out of buffers costs a turn and no bytes") {
  Options options{.buffers = 8};
  options.faults.no_buffers = 0.5;
  Stage stage(options);
  Link link(stage);
  link.peer.send(text_of(100'000));
  REQUIRE(stage.run_until([&] { return link.owner.received.size() == 100'000; }));
  CHECK(link.owner.received == text_of(100'000));
  CHECK(stage.resources.counters.buffers_ran_out > 0);
}

TEST_CASE("an owner that keeps all buffers gets no more until it lets go") {
  struct Keeper final : Owner {
    void on_received(Connection&, ring::Slice bytes) override { slices.push_back(std::move(bytes)); }
    void on_ended(Connection&, End) override {}
    void on_failed(Connection&, Failure) override {}
    void on_closed(Connection&) override {}
    std::vector<ring::Slice> slices;
  };
  Stage stage({.buffers = 8});
  Link link(stage);
  Keeper keeper;
  link.connection.set_owner(keeper);
  link.peer.send(text_of(60'000));
  REQUIRE(stage.run_until([&] { return stage.resources.counters.buffers_ran_out > 0; }));
  CHECK(keeper.slices.size() == 8);
  link.connection.pause_receiving();
  keeper.slices.clear();
  link.connection.set_owner(link.owner);
  const std::uint64_t before = link.connection.bytes_received();
  link.connection.resume_receiving();
  REQUIRE(stage.run_until([&] { return link.connection.bytes_received() == 60'000; }));
  CHECK(link.owner.received == text_of(60'000).substr(before));
}

TEST_CASE("a reset by the peer is told, and the connection closes by itself") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Stage stage({.seed = seed});
    Link link(stage);
    link.peer.send("before");
    REQUIRE(stage.run_until([&] { return link.owner.received == "before"; }));
    link.peer.reset();
    REQUIRE(stage.run_until([&] { return link.is_closed(); }));
    CHECK(link.owner.told == Told{"failed: reset", "closed"});
    CHECK(link.connection.last_errno() == ECONNRESET);
  }
}

TEST_CASE("a reset is heard of while the connection is paused, within a moment") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    for (const bool resumed_before : {false, true}) {
      INFO("seed " << seed);
      Stage stage({.seed = seed, .faults = test::harmless_faults()});
      Link link(stage);
      if (resumed_before) {
        link.connection.pause_receiving();
        stage.run_for(Stage::moment_ns);
        link.connection.resume_receiving();
        stage.run_for(Stage::moment_ns);
      }
      link.connection.pause_receiving();
      link.peer.send(text_of(1000));
      stage.run_for(Stage::moment_ns);
      CHECK(link.owner.told.empty());
      link.peer.reset();
      REQUIRE(stage.run_until([&] { return link.owner.heard("lost"); }, test::second / 2));
      CHECK(link.owner.received.empty());
      link.connection.abort();
      REQUIRE(stage.run_until([&] { return link.is_closed(); }));
      CHECK(link.owner.told == Told{"lost", "closed"});
    }
  }
}

TEST_CASE("a FIN waits for its turn behind the bytes of a paused connection") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Stage stage({.seed = seed, .faults = test::harmless_faults()});
    Link link(stage);
    link.connection.pause_receiving();
    link.peer.send("the last words");
    link.peer.half_close();
    stage.run_for(test::second);
    CHECK(link.owner.told.empty());
    link.connection.resume_receiving();
    REQUIRE(stage.run_until([&] { return link.connection.has_ended(); }));
    CHECK(link.owner.received == "the last words");
    CHECK(link.owner.told == Told{"ended by fin"});
  }
}

TEST_CASE("bytes that came before a reset are handed over first") {
  Stage stage;
  Link link(stage);
  link.connection.pause_receiving();
  stage.run_for(Stage::moment_ns);
  link.peer.send("last words");
  stage.run_for(Stage::moment_ns);
  link.peer.reset();
  stage.run_for(Stage::moment_ns);
  link.connection.resume_receiving();
  REQUIRE(stage.run_until([&] { return link.is_closed(); }));
  CHECK(link.owner.received == "last words");
  CHECK(link.owner.told == Told{"lost", "failed: reset", "closed"});
}

}  // namespace
}  // namespace ringwall::connection
