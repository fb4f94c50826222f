// A Connection over TLS: handshakes within their budget, records, close_notify.
#include "tls_link.h"

#include <algorithm>
#include <list>

namespace ringwall::connection {
namespace {

using test::KernelTls;
using test::millisecond;
using test::second;
using test::Stage;
using test::text_of;
using test::TlsLink;
using Told = std::vector<std::string>;

constexpr std::uint64_t seeds = 4;

TEST_CASE("bytes of any amount come through TLS both ways, over any path") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      INFO(version << ", seed " << seed);
      Stage stage({.seed = seed, .faults = test::harmless_faults(), .socket_bytes = 8 * 1024});
      TlsLink link(stage, version);
      link.establish();
      CHECK(link.connection.transport()->server_name() == "localhost");
      const std::string text = text_of(200'000);
      link.say(text);
      for (std::string_view left = text; !left.empty();) {
        const std::string_view part = left.substr(0, stage.world.random().skewed(1, 50'000));
        link.connection.send_copy(part);
        left.remove_prefix(part.size());
        if (stage.world.random().below(3) == 0) stage.turn();
      }
      REQUIRE(stage.run_until([&] { return link.owner.received.size() == text.size(); }));
      REQUIRE(stage.run_until([&] { return link.heard.size() == text.size(); }));
      CHECK(link.owner.received == text);
      CHECK(link.heard == text);
      CHECK(link.owner.count("established") == 1);
      CHECK(stage.backlog.used() == 0);
    }
  }
}

TEST_CASE("small pieces of one turn leave as one record") {
  Stage stage;
  TlsLink link(stage);
  link.establish();
  stage.run_for(Stage::moment_ns);
  const std::uint64_t before = link.connection.bytes_sent();
  std::string text;
  for (int index = 0; index < 200; ++index) {
    link.connection.send_copy(std::to_string(index));
    text += std::to_string(index);
  }
  REQUIRE(stage.run_until([&] { return link.heard == text; }));
  // A header, a type and a tag (RFC 8446 section 5.2), unless the kernel adds them.
  const std::size_t record_overhead = link.connection.transport()->sends_in_kernel() ? 0 : 5 + 1 + 16;
  CHECK(link.connection.bytes_sent() - before == text.size() + record_overhead);
}

TEST_CASE("what is sealed for one connection in a turn is bounded, and all of it leaves in order") {
  Stage stage({.socket_bytes = 2 << 20, .arena_blocks = 64, .kernel_tls = KernelTls::none});
  TlsLink link(stage);
  link.establish();
  stage.run_for(Stage::moment_ns);
  const std::string text = text_of(1'000'000);
  link.connection.send_copy(text);
  const std::uint64_t before = link.connection.bytes_sent();
  CHECK(stage.resources.end_turn());
  stage.ring.turn(0);
  CHECK(link.connection.bytes_sent() - before <= 256 * 1024 + Arena::block_bytes + 1000);
  CHECK(link.owner.told == Told{"established", "congested"});  // before more than that waits
  REQUIRE(stage.run_until([&] { return link.heard.size() == text.size(); }));
  CHECK(link.heard == text);
  CHECK(link.owner.told == Told{"established", "congested", "drained"});
  CHECK(stage.backlog.used() == 0);
}

TEST_CASE("finish ends with close_notify and FIN, cut with FIN alone, abort with a reset") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const int how : {0, 1, 2}) {
      INFO(version << ", ending " << how);
      Stage stage;
      TlsLink link(stage, version);
      link.establish();
      link.connection.send_copy("some of it");
      REQUIRE(stage.run_until([&] { return link.heard == "some of it"; }));
      link.connection.send_copy(text_of(50'000));
      if (how == 0) link.connection.finish();
      if (how == 1) link.connection.cut();
      if (how == 2) link.connection.abort();
      REQUIRE(stage.run_until([&] { return link.peer.is_over(); }));
      CHECK(link.peer.has_ended() == (how < 2));
      CHECK(link.client.closed == (how == 0));
      CHECK(link.heard == (how < 2 ? "some of it" + text_of(50'000) : "some of it"));
      CHECK_FALSE(link.client.failed);
      REQUIRE(stage.run_until([&] { return link.is_closed(); }));
      CHECK(link.owner.told == Told{"established", "closed"});
    }
  }
}

TEST_CASE("the peer's close_notify ends its direction after its bytes, and its FIN says nothing more") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Stage stage({.seed = seed, .faults = test::harmless_faults()});
    TlsLink link(stage);
    link.establish();
    link.client.send("the last request");
    link.client.close();
    link.pump();
    link.peer.half_close();
    REQUIRE(stage.run_until([&] { return link.connection.has_ended(); }));
    CHECK(link.owner.received == "the last request");
    stage.run_for(Stage::moment_ns);
    CHECK(link.owner.count("ended by close_notify") == 1);
    CHECK_FALSE(link.owner.heard("ended by fin"));
    link.connection.send_copy("the last answer");
    link.connection.finish();
    REQUIRE(stage.run_until([&] { return link.is_closed(); }));
    REQUIRE(stage.run_until([&] { return link.peer.has_ended(); }));
    CHECK(link.heard == "the last answer");
  }
}

TEST_CASE("a FIN without close_notify is told as what it is") {
  Stage stage;
  TlsLink link(stage);
  link.establish();
  link.peer.half_close();
  REQUIRE(stage.run_until([&] { return link.connection.has_ended(); }));
  CHECK(link.owner.told == Told{"established", "ended by fin"});
}

TEST_CASE("a connection that gives up before its handshake is done resets") {
  Stage stage;
  TlsLink link(stage);
  link.peer.on_event = nullptr;
  stage.run_for(Stage::moment_ns);
  link.connection.finish();
  REQUIRE(stage.run_until([&] { return link.is_closed(); }));
  CHECK(link.owner.told == Told{"closed"});
  REQUIRE(stage.run_until([&] { return link.peer.is_over(); }));
  CHECK(link.peer.error() == ECONNRESET);
}

// Handshakes --------------------------------------------------------------------------------------------------------

TEST_CASE("handshakes are worked on in their order, so many a turn, and the next turn does not sleep") {
  Stage stage({.buffers = 64, .handshakes_per_turn = 0, .kernel_tls = KernelTls::none});
  std::list<TlsLink> links;
  for (int index = 0; index < 5; ++index) links.emplace_back(stage);
  for (TlsLink& link : links) link.start();
  stage.world.events().run_until(stage.kernel.now_ns() + second);
  REQUIRE(stage.run_until([&] { return stage.resources.to_handshake.size() == 5; }));
  stage.resources.handshakes_per_turn = 2;
  const auto answered = [&] {
    return std::ranges::count_if(links, [](const TlsLink& link) { return link.connection.bytes_sent() > 0; });
  };
  for (const std::size_t left : {3U, 1U}) {
    const std::uint64_t waited = stage.resources.counters.handshakes_waited;
    CHECK(stage.resources.end_turn());
    CHECK(stage.resources.to_handshake.size() == left);
    CHECK(stage.resources.counters.handshakes_waited == waited + 1);
    stage.ring.turn(0);
    CHECK(answered() == static_cast<long>(5 - left));
  }
  CHECK_FALSE(stage.resources.end_turn());
  const auto is_established = [](const TlsLink& link) { return link.owner.heard("established"); };
  REQUIRE(stage.run_until([&] { return std::ranges::all_of(links, is_established); }));
}

TEST_CASE("a connection that closes while its handshake waits is not worked on") {
  Stage stage({.handshakes_per_turn = 1});
  TlsLink first(stage);
  {
    TlsLink other(stage);
    first.start();
    other.start();
    stage.world.events().run_until(stage.kernel.now_ns() + second);
    REQUIRE(stage.run_until([&] { return stage.resources.to_handshake.size() == 2; }));
    other.connection.abort();
    first.connection.abort();
    while (!other.is_closed() || !first.is_closed()) stage.ring.turn(millisecond);
    CHECK(stage.resources.to_handshake.empty());
  }
  CHECK(first.owner.told == Told{"closed"});
}

TEST_CASE("a client whose handshake waits for its turn is not read without end") {
  Stage stage({.socket_bytes = 256 * 1024, .handshakes_per_turn = 0});
  TlsLink link(stage);
  link.peer.on_event = nullptr;
  link.peer.send(text_of(1'000'000));
  for (int turn = 0; turn < 1000; ++turn) {
    stage.world.events().run_until(stage.kernel.now_ns() + millisecond);
    stage.turn();
  }
  const std::size_t all_buffers = std::size_t{16} * 4096;
  // Where the kernel may follow, nothing is read until what was read has had its turn.
  const bool reads_ahead = !stage.resources.offload.uses_kernel();
  CHECK(link.connection.is_paused() == reads_ahead);
  CHECK((link.connection.bytes_received() > 32 * 1024) == reads_ahead);
  CHECK(link.connection.bytes_received() <= 32 * 1024 + all_buffers);
  CHECK(link.peer.queued() > 0);
}

TEST_CASE("nothing is lost of what a client sends ahead of its handshake's turn") {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    INFO("seed " << seed);
    Stage stage({.seed = seed, .faults = test::harmless_faults(), .buffers = 64, .handshakes_per_turn = 1});
    TlsLink link(stage);
    const std::string text = text_of(400'000);
    // All of it follows the client's last word of the handshake at once.
    link.peer.on_event = [&](sim::Peer&) {
      const bool was_done = link.client.done;
      link.receive();
      if (!link.client.done) (void)link.client.step();
      if (link.client.done && !was_done) link.client.send(text);
      const std::vector<std::byte> wire = link.client.out();
      if (!wire.empty()) link.peer.send(wire);
    };
    link.start();
    REQUIRE(stage.run_until([&] { return link.owner.received.size() == text.size(); }));
    CHECK(link.owner.received == text);
    CHECK(link.owner.count("established") == 1);
  }
}

TEST_CASE("bytes that came before a FIN are the session's though their handshake has to wait for its turn") {
  Stage stage;
  TlsLink link(stage);
  // The client's last word of the handshake, its request, close_notify and FIN all arrive in one turn.
  link.peer.on_event = [&](sim::Peer&) {
    link.receive();
    if (link.client.done || !link.client.step()) return;
    if (link.client.done) {
      link.client.send("a request");
      link.client.close();
    }
    const std::vector<std::byte> wire = link.client.out();
    if (!wire.empty()) link.peer.send(wire);
    if (!link.client.done) return;
    link.peer.half_close();
  };
  link.start();
  REQUIRE(stage.run_until([&] { return link.client.done; }));
  stage.world.events().run_until(stage.kernel.now_ns() + second);
  REQUIRE(stage.run_until([&] { return link.connection.has_ended(); }));
  CHECK(link.owner.received == "a request");
  CHECK(link.owner.told == Told{"established", "ended by close_notify"});
}

}  // namespace
}  // namespace ringwall::connection
