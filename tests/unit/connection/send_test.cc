// What is sent: joined, offered once, kept for a reader that is behind, and timed by what the reader takes.
#include <ringwall/connection/owned_slice.h>

#include "stage.h"
#include "unit/catch.h"

#include <algorithm>
#include <list>

namespace ringwall::connection {
namespace {

using test::Link;
using test::Options;
using test::second;
using test::Stage;
using test::text_of;
using Told = std::vector<std::string>;

constexpr std::uint64_t seeds = 6;

ring::Slice owned(const std::string& text) {
  auto memory = std::make_unique<std::string>(text);
  const std::span<std::byte> bytes = std::as_writable_bytes(std::span(*memory));
  return make_owned_slice(std::move(memory), bytes);
}

TEST_CASE("what one turn produced for a socket is one send, whose memory is free in the same turn") {
  Stage stage;
  Link link(stage);
  stage.run_for(Stage::moment_ns);
  for (const int pieces : {1, 2, 100}) {
    INFO(pieces << " pieces");
    std::string text;
    for (int index = 0; index < pieces; ++index) {
      text += std::to_string(index) + ",";
      link.connection.send_copy(std::to_string(index) + ",");
    }
    const ring::RingCounters before = stage.ring.counters();
    CHECK_FALSE(stage.resources.end_turn());
    stage.ring.turn(0);
    CHECK(stage.ring.counters().submitted - before.submitted == 1);
    CHECK(stage.ring.counters().completions - before.completions == 1);
    CHECK(stage.resources.counters.backlog_copies == 0);
    // Only the arena itself holds its block: it begins anew.
    const ring::Slice probe = stage.arena.copy(std::as_bytes(std::span("x", 1)));
    CHECK(probe.bytes().data() == probe.block()->data());
    REQUIRE(stage.run_until([&] { return link.peer.received().size() == text.size(); }));
    CHECK(link.peer.take_received() == text);
  }
  CHECK(link.owner.told.empty());
}

TEST_CASE("the places that many small pieces take in a turn are given back") {
  for (const std::size_t socket_bytes : {std::size_t{64} * 1024, std::size_t{1024}}) {
    INFO(socket_bytes << " bytes in a socket");
    Stage stage({.socket_bytes = socket_bytes});
    Link link(stage);
    stage.run_for(Stage::moment_ns);
    for (int turn = 0; turn < 3; ++turn) {
      for (int index = 0; index < 20'000; ++index) link.connection.send_copy("x");
      CHECK(link.connection.pieces_kept() >= 20'000);
      stage.turn();
      CHECK(link.connection.pieces_kept() <= 2 * Connection::pieces_kept_max + 1024);
      REQUIRE(stage.run_until([&] { return link.peer.received().size() == 20'000; }));
      CHECK(link.connection.pieces_kept() <= 2 * Connection::pieces_kept_max);
      (void)link.peer.take_received();
    }
  }
}

TEST_CASE("bytes keep their order in pieces of any size and kind, sent at any time, over short sends") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Stage stage({.seed = seed, .faults = test::harmless_faults(), .socket_bytes = 8 * 1024});
    Link link(stage);
    sim::Random random(seed);
    const std::string text = text_of(500'000);
    for (std::string_view left = text; !left.empty();) {
      const std::string_view part = left.substr(0, random.skewed(1, 100'000));
      if (random.below(3) == 0) {
        link.connection.send(owned(std::string(part)));
      } else {
        link.connection.send_copy(part);
      }
      left.remove_prefix(part.size());
      if (random.below(3) == 0) stage.run_for(random.below(5 * test::millisecond));
    }
    REQUIRE(stage.run_until([&] { return link.peer.received().size() == text.size(); }));
    CHECK(link.peer.received() == text);
    CHECK(link.connection.bytes_sent() == text.size());
    CHECK_FALSE(link.connection.is_congested());
    CHECK(stage.backlog.used() == 0);
  }
}

TEST_CASE("more pieces than one send can name go out all the same") {
  Stage stage;
  Link link(stage);
  std::string text;
  for (int index = 0; index < 1000; ++index) {
    text += std::to_string(index) + ";";
    link.connection.send_copy(std::to_string(index) + ";");
  }
  REQUIRE(stage.run_until([&] { return link.peer.received().size() == text.size(); }));
  CHECK(link.peer.received() == text);
}

TEST_CASE("sending nothing sends nothing") {
  Stage stage;
  Link link(stage);
  link.connection.send({});
  link.connection.send_copy(std::string_view());
  CHECK(stage.resources.to_flush.empty());
}

TEST_CASE(
    "a reader that is behind is told of once, costs the backlog what it has not taken, and is told when it caught up") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Stage stage({.seed = seed});
    Link link(stage);
    link.peer.stop_reading();
    const std::string text = text_of(1'000'000);
    link.connection.send_copy(text);
    stage.run_for(second);
    CHECK(link.owner.told == Told{"congested"});
    CHECK(link.connection.is_congested());
    // The two sockets' buffers took 128 KiB of it.
    CHECK(stage.backlog.used() >= text.size() - 128 * 1024);
    CHECK(stage.resources.counters.sends_short == 1);
    CHECK(stage.resources.counters.backlog_copies == stage.backlog.used_most());

    link.connection.send_copy("more");
    stage.run_for(second);
    CHECK(link.owner.told == Told{"congested"});

    link.peer.read_at_once();
    REQUIRE(stage.run_until([&] { return link.owner.heard("drained"); }));
    CHECK(link.owner.told == Told{"congested", "drained"});
    CHECK_FALSE(link.connection.is_congested());
    REQUIRE(stage.run_until([&] { return link.peer.received().size() == text.size() + 4; }));
    CHECK(link.peer.received() == text + "more");
    CHECK(stage.backlog.used() == 0);
  }
}

TEST_CASE("a reader may be behind again and again") {
  Stage stage;
  Link link(stage);
  std::string all;
  for (int round = 0; round < 3; ++round) {
    link.peer.stop_reading();
    link.connection.send_copy(text_of(300'000));
    all += text_of(300'000);
    stage.run_for(second);
    link.peer.read_at_once();
    REQUIRE(stage.run_until([&] { return link.peer.received().size() == all.size(); }));
  }
  REQUIRE(stage.run_until([&] { return link.owner.count("drained") == 3; }));
  CHECK(link.owner.told == Told{"congested", "drained", "congested", "drained", "congested", "drained"});
  CHECK(link.peer.received() == all);
}

TEST_CASE("what has memory of its own waits without a copy and without a charge") {
  Stage stage;
  Link link(stage);
  link.peer.stop_reading();
  for (int index = 0; index < 4; ++index) link.connection.send(owned(text_of(200'000)));
  stage.run_for(second);
  CHECK(link.connection.is_congested());
  CHECK(stage.backlog.used() == 0);
  CHECK(stage.resources.counters.backlog_copies == 0);
  link.connection.send_copy("borrowed");
  stage.run_for(second);
  CHECK(stage.backlog.used() == 8);
}

TEST_CASE("nothing borrowed is held after a turn, however far behind a reader is") {
  Stage stage;
  Link link(stage);
  link.peer.stop_reading();
  for (int round = 0; round < 20; ++round) {
    link.connection.send_copy(text_of(50'000));
    stage.turn();
    stage.run_for(Stage::moment_ns);
    const ring::Slice probe = stage.arena.copy(std::as_bytes(std::span("x", 1)));
    CHECK(probe.bytes().data() == probe.block()->data());
  }
}

TEST_CASE("a spent backlog ends the connection that would have needed more, by a reset, and no other") {
  Stage stage({.backlog_bytes = 200'000});
  Link greedy(stage);
  Link modest(stage);
  greedy.peer.stop_reading();
  greedy.connection.send_copy(text_of(1'000'000));
  modest.connection.send_copy("hello");
  REQUIRE(stage.run_until([&] { return greedy.is_closed(); }));
  CHECK(greedy.owner.told == Told{"failed: backlog_full", "closed"});
  CHECK(stage.backlog.used() == 0);
  CHECK(stage.backlog.times_reached() == 1);
  greedy.peer.read_at_once();
  REQUIRE(stage.run_until([&] { return greedy.peer.is_over(); }));
  CHECK(greedy.peer.error() == ECONNRESET);
  CHECK(text_of(1'000'000).starts_with(greedy.peer.received()));
  REQUIRE(stage.run_until([&] { return modest.peer.received() == "hello"; }));
  CHECK(modest.owner.told.empty());
}

TEST_CASE("of a backlog that is nearly spent the greatest hoarder is dropped, and who needs little goes on") {
  Stage stage({.backlog_bytes = 4'000'000});
  std::list<Link> hoarders;
  Link modest(stage);
  modest.connection.set_share(ShareKey{1});
  modest.peer.stop_reading();
  modest.connection.send_copy(text_of(150'000));
  for (std::uint8_t number = 0; number < 20; ++number) {
    Link& hoarder = hoarders.emplace_back(stage);
    hoarder.connection.set_share(ShareKey{static_cast<std::uint8_t>(2 + number % 2)});
    hoarder.peer.stop_reading();
    hoarder.connection.send_copy(text_of(300'000));
    stage.run_for(Stage::moment_ns);
    CHECK(stage.backlog.used() <= 3'500'000);
  }
  const auto closed = std::ranges::count_if(hoarders, [](const Link& link) { return link.is_closed(); });
  CHECK(closed > 4);
  CHECK(stage.resources.counters.hoarders_dropped == static_cast<std::uint64_t>(closed));
  CHECK(stage.resources.bytes_dropping == 0);
  CHECK(modest.connection.is_open());
  modest.peer.read_at_once();
  REQUIRE(stage.run_until([&] { return modest.peer.received() == text_of(150'000); }));
}

TEST_CASE("a backlog that is spent while a send is under way ends the connection too") {
  Stage stage({.backlog_bytes = 230'000});
  Link link(stage);
  link.peer.stop_reading();
  link.connection.send_copy(text_of(250'000));
  stage.run_for(second);
  REQUIRE(link.owner.told == Told{"congested"});
  link.connection.send_copy(text_of(100'000));
  REQUIRE(stage.run_until([&] { return link.is_closed(); }));
  CHECK(link.owner.told == Told{"congested", "failed: backlog_full", "closed"});
  CHECK(stage.backlog.used() == 0);
}

TEST_CASE("a reader that takes no byte for the send timeout is given up, and not before") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Stage stage({.seed = seed, .send_timeout_ns = 10 * second});
    Link link(stage);
    link.peer.stop_reading();
    link.connection.send_copy(text_of(500'000));
    stage.run_for(9 * second);
    CHECK(link.owner.told == Told{"congested"});
    // The path took what it could in the first moments; from then on it stands still.
    REQUIRE(stage.run_until([&] { return link.is_closed(); }, 12 * second));
    CHECK(link.owner.told == Told{"congested", "failed: send_timeout", "closed"});
    CHECK(stage.backlog.used() == 0);
  }
}

TEST_CASE("a reader that takes little, or much now and then, is kept for as long as it needs") {
  struct Pace {
    std::size_t bytes;
    std::uint64_t interval_ns;
  };
  // The first takes too little for the socket to become writable within the timeout: a third of 64 KiB has to be free.
  // After each step of the second the socket is about as full as it was.
  for (const Pace pace : {Pace{1000, 4 * second}, Pace{30'000, 7 * second}}) {
    INFO(pace.bytes << " bytes at a time");
    Stage stage({.send_timeout_ns = 10 * second});
    Link link(stage);
    link.peer.stop_reading();
    const std::string text = text_of(pace.bytes == 1000 ? 200'000 : 1'000'000);
    link.connection.send_copy(text);
    stage.run_for(second);
    link.peer.read_slowly(pace.bytes, pace.interval_ns);
    REQUIRE(stage.run_until([&] { return link.peer.received().size() == text.size(); }, 1000 * second));
    CHECK(link.peer.received() == text);
    CHECK_FALSE(link.owner.heard("failed: send_timeout"));
  }
}

TEST_CASE("a reader that is not behind is not timed") {
  Stage stage({.send_timeout_ns = 1 * second});
  Link link(stage);
  link.peer.stop_reading();
  link.connection.send_copy("fits into the sockets");
  stage.run_for(60 * second);
  CHECK(link.owner.told.empty());
  link.peer.read_at_once();
  REQUIRE(stage.run_until([&] { return link.peer.received() == "fits into the sockets"; }));
}

TEST_CASE("after a reader has caught up its old deadline is forgotten") {
  Stage stage({.send_timeout_ns = 10 * second});
  Link link(stage);
  link.peer.stop_reading();
  link.connection.send_copy(text_of(300'000));
  stage.run_for(9 * second);
  link.peer.read_at_once();
  REQUIRE(stage.run_until([&] { return link.owner.heard("drained"); }));
  stage.run_for(60 * second);
  CHECK(link.owner.told == Told{"congested", "drained"});
}

TEST_CASE("a reset while a send waits is told, and the backlog is given back") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Stage stage({.seed = seed});
    Link link(stage);
    link.peer.stop_reading();
    link.connection.send_copy(text_of(500'000));
    stage.run_for(second);
    link.peer.reset();
    REQUIRE(stage.run_until([&] { return link.is_closed(); }));
    CHECK(link.owner.told == Told{"congested", "failed: reset", "closed"});
    CHECK(stage.backlog.used() == 0);
  }
}

TEST_CASE("what is sent from a callback goes out in the same turn's flush") {
  Stage stage;
  Link link(stage);
  link.owner.when_received = [&] { link.connection.send_copy("!"); };
  link.peer.send("?");
  REQUIRE(stage.run_until([&] { return link.owner.received == "?"; }));
  CHECK(stage.resources.to_flush.size() == 1);
  CHECK_FALSE(stage.resources.end_turn());
  CHECK(stage.resources.to_flush.empty());
  REQUIRE(stage.run_until([&] { return link.peer.received() == "!"; }));
}

TEST_CASE("what an owner sends on another connection when one fails in the flush leaves in the same turn") {
  Stage stage({.backlog_bytes = 230'000});
  Link broken(stage);
  Link other(stage);
  broken.peer.stop_reading();
  broken.connection.send_copy(text_of(250'000));
  stage.run_for(second);
  REQUIRE(broken.connection.is_congested());
  broken.owner.when_told = [&] {
    if (broken.owner.heard("failed: backlog_full")) other.connection.send_copy("the other side has gone");
  };
  broken.connection.send_copy(text_of(200'000));
  CHECK_FALSE(stage.resources.end_turn());
  REQUIRE(broken.owner.heard("failed: backlog_full"));
  CHECK(stage.resources.to_flush.empty());
  broken.owner.when_told = nullptr;
  REQUIRE(stage.run_until([&] { return other.peer.received() == "the other side has gone"; }));
}

}  // namespace
}  // namespace ringwall::connection
