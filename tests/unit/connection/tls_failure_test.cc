// A Connection over TLS whose peer breaks it: what is told, what is answered, what is left behind.
#include "tls_link.h"

#include <algorithm>
#include <iterator>

namespace ringwall::connection {
namespace {

using test::millisecond;
using test::second;
using test::Stage;
using test::text_of;
using test::TlsLink;
using Told = std::vector<std::string>;

constexpr std::uint64_t seeds = 4;

TEST_CASE("a broken record ends the connection with an alert, FIN, and no close_notify") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    INFO(version);
    Stage stage;
    TlsLink link(stage, version);
    link.establish();
    stage.run_for(Stage::moment_ns);
    link.connection.send_copy("never sealed");
    link.client.send("to be changed");
    std::vector<std::byte> wire = link.client.out();
    wire.back() ^= std::byte{1};
    link.peer.send(wire);
    REQUIRE(stage.run_until([&] { return link.is_closed(); }));
    CHECK(link.owner.told == Told{"established", "failed: tls", "closed"});
    REQUIRE(stage.run_until([&] { return link.peer.is_over(); }));
    CHECK(link.client.alert_received == tls::alert::bad_record_mac);
    CHECK_FALSE(link.client.closed);
  }
}

TEST_CASE("a broken record behind bytes on which the session ends is not looked at, and the answer arrives") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    INFO(version);
    Stage stage;
    TlsLink link(stage, version);
    link.establish();
    stage.run_for(Stage::moment_ns);
    link.connection.pause_receiving();  // until both are here
    link.owner.when_received = [&] {
      link.connection.send_copy("the answer");
      link.connection.finish();
    };
    link.client.send("the last request");
    std::vector<std::byte> wire = link.client.out();
    link.client.send("to be changed");
    std::ranges::copy(link.client.out(), std::back_inserter(wire));
    wire.back() ^= std::byte{1};
    link.peer.send(wire);
    stage.run_for(Stage::moment_ns);
    link.connection.resume_receiving();
    REQUIRE(stage.run_until([&] { return link.is_closed(); }));
    CHECK(link.owner.received == "the last request");
    CHECK(link.owner.told == Told{"established", "closed"});
    CHECK(link.heard == "the answer");
    CHECK(link.client.closed);
  }
}

TEST_CASE("a broken record while a slow reader takes its answer is told by an alert behind what was sealed") {
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    INFO(version);
    Stage stage({.socket_bytes = 48 * 1024});
    TlsLink link(stage, version);
    link.establish();
    link.say("a request");
    REQUIRE(stage.run_until([&] { return link.owner.received == "a request"; }));
    link.peer.stop_reading();
    const std::string text = text_of(250'000);
    link.connection.send_copy(text);
    stage.run_for(second);
    REQUIRE(link.connection.is_congested());
    link.client.send("to be changed");
    std::vector<std::byte> wire = link.client.out();
    wire.back() ^= std::byte{1};
    link.peer.send(wire);
    REQUIRE(stage.run_until([&] { return link.owner.heard("failed: tls"); }));
    stage.run_for(second);
    link.peer.read_at_once();
    REQUIRE(stage.run_until([&] { return link.is_closed() && link.peer.is_over(); }));
    CHECK(link.peer.error() == 0);
    CHECK(link.client.alert_received == tls::alert::bad_record_mac);
    CHECK(link.heard == text);
  }
}

TEST_CASE("a peer who spoke HTTP gets a plain answer and FIN, however much it said") {
  for (const std::size_t body : {0U, 30'000U, 200'000U}) {
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      INFO(body << " bytes of body, seed " << seed);
      Stage stage({.seed = seed, .linger_ns = 10 * second});
      TlsLink link(stage);
      link.peer.on_event = nullptr;
      link.owner.when_told = [&] {
        if (link.owner.told.back() == "failed: tls") link.connection.finish_without_transport("HTTP/1.1 400 \r\n\r\n");
      };
      link.peer.send("POST / HTTP/1.1\r\n\r\n" + text_of(body));
      REQUIRE(stage.run_until([&] { return link.peer.is_over(); }));
      CHECK(link.peer.error() == 0);
      CHECK(link.peer.received() == "HTTP/1.1 400 \r\n\r\n");
      CHECK(link.connection.transport() == nullptr);
      link.peer.close();
      REQUIRE(stage.run_until([&] { return link.is_closed(); }, second));
      CHECK(link.owner.told == Told{"failed: tls", "closed"});
    }
  }
}

TEST_CASE("a failure is read on to the peer's FIN, also where the handshake had waited and the peer was paused") {
  Stage stage({.linger_ns = 10 * second, .handshakes_per_turn = 0});
  TlsLink link(stage);
  link.peer.on_event = nullptr;
  link.peer.send(text_of(200'000));
  for (int turn = 0; turn < 1000; ++turn) {
    stage.world.events().run_until(stage.kernel.now_ns() + millisecond);
    stage.turn();
  }
  // Where the kernel may follow, nothing is read until what was read has had its turn.
  REQUIRE(link.connection.is_paused() == (test::kernel_tls_of_this_run() == test::KernelTls::none));
  stage.resources.handshakes_per_turn = 1;
  REQUIRE(stage.run_until([&] { return link.owner.heard("failed: tls"); }));
  REQUIRE(stage.run_until([&] { return link.peer.is_over(); }));
  CHECK(link.peer.error() == 0);
  link.peer.half_close();
  REQUIRE(stage.run_until([&] { return link.is_closed(); }, second));
}

TEST_CASE("a client that asks for new keys and does not read holds no memory of the turn") {
  Stage stage;
  TlsLink link(stage);
  link.establish();
  stage.run_for(Stage::moment_ns);
  link.peer.stop_reading();
  link.connection.send_copy(text_of(500'000));
  stage.run_for(second);
  REQUIRE(link.connection.is_congested());
  for (int round = 0; round < 20; ++round) {
    REQUIRE(SSL_key_update(link.client.ssl, SSL_KEY_UPDATE_REQUESTED) == 1);
    link.say("?");
    stage.run_for(Stage::moment_ns);
    const ring::Slice probe = stage.arena.copy(std::as_bytes(std::span("x", 1)));
    CHECK(probe.bytes().data() == probe.block()->data());
  }
  link.connection.send_copy("the end");
  link.peer.read_at_once();
  REQUIRE(stage.run_until([&] { return link.heard.size() == 500'007; }));
  CHECK(link.heard == text_of(500'000) + "the end");
  CHECK(stage.backlog.used() == 0);
}

}  // namespace
}  // namespace ringwall::connection
