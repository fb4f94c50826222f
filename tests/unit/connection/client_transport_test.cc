// A Connection that is the client of TLS, and one that is its server, both ours, on one ring.
#include "tls_link.h"
#include "unit/tls/pair.h"

#include <algorithm>
#include <list>

namespace ringwall::connection {
namespace {

using test::millisecond;
using test::Recorder;
using test::second;
using test::Stage;
using test::text_of;
using Told = std::vector<std::string>;

constexpr tls::VersionsOffered versions[] = {tls::VersionsOffered::only_tls12, tls::VersionsOffered::only_tls13};

std::unique_ptr<tls::ClientContext> context_for(tls::VersionsOffered offered) {
  return tls::test::client_context({.versions = offered, .verify = false, .resume = true});
}

struct Both {
  explicit Both(Stage& stage_in) : stage(stage_in) {}
  Both(const Both&) = delete;
  Both& operator=(const Both&) = delete;
  ~Both() {
    client.abort();
    server.abort();
    RINGWALL_CHECK(stage.run_until([&] { return client.is_closed() && server.is_closed(); }));
  }

  void connect(const tls::ClientContext& context, tls::ClientSession* session = nullptr,
               std::string_view name = "localhost") {
    client.connect(Stage::address(), 5 * second,
                   std::make_unique<TlsTransport>(std::make_unique<tls::ClientHandshake>(context, name, session),
                                                  stage.resources));
    server.adopt(stage.accept(), std::make_unique<TlsTransport>(test::server().context, stage.resources));
  }
  [[nodiscard]] bool are_established() const {
    return client_owner.heard("established") && server_owner.heard("established");
  }
  // "ping" there, "pong" back.
  void check_alive() {
    client_owner.received.clear();
    server_owner.received.clear();
    client.send_copy("ping");
    server.send_copy("pong");
    REQUIRE(stage.run_until([&] { return client_owner.received == "pong" && server_owner.received == "ping"; }));
  }

  Stage& stage;
  Recorder client_owner, server_owner;
  Connection client{stage.resources, client_owner}, server{stage.resources, server_owner};
};

TEST_CASE("bytes of any amount come through TLS from client to server and back, over any path") {
  for (const auto offered : versions) {
    const auto context = context_for(offered);
    for (std::uint64_t seed = 1; seed <= 4; ++seed) {
      INFO(int(offered) << ", seed " << seed);
      Stage stage({.seed = seed, .faults = test::harmless_faults(), .socket_bytes = 8 * 1024});
      Both both(stage);
      both.connect(*context);
      REQUIRE(stage.run_until([&] { return both.are_established(); }));
      CHECK(both.client_owner.count("established") == 1);
      CHECK(both.server.transport()->server_name() == "localhost");
      CHECK(both.client.transport()->version() ==
            (offered == tls::VersionsOffered::only_tls12 ? tls::Version::tls12 : tls::Version::tls13));
      CHECK(both.client.transport()->cipher() == tls::Cipher::aes_128_gcm);
      const std::string text = text_of(150'000);
      both.client.send_copy(text);
      both.server.send_copy(text);
      REQUIRE(stage.run_until([&] {
        return both.client_owner.received.size() == text.size() && both.server_owner.received.size() == text.size();
      }));
      CHECK(both.client_owner.received == text);
      CHECK(both.server_owner.received == text);
      CHECK_FALSE(both.client.transport()->receives_in_kernel());
      CHECK_FALSE(both.client.transport()->sends_in_kernel());
      both.client.finish();
      REQUIRE(stage.run_until([&] { return both.server.has_ended(); }));
      CHECK(both.server_owner.heard("ended by close_notify"));
    }
  }
}

TEST_CASE("connections resume the session that the first of them got") {
  for (const auto offered : versions) {
    const auto context = context_for(offered);
    Stage stage;
    tls::ClientSession session;
    for (int count = 0; count < 3; ++count) {
      Both both(stage);
      both.connect(*context, &session);
      REQUIRE(stage.run_until([&] { return both.are_established(); }));
      CHECK(session.is_ready());
      CHECK(both.client.transport()->resumed() == (count > 0));
      CHECK(both.server.transport()->resumed() == (count > 0));
      both.check_alive();
    }
  }
}

TEST_CASE("a certificate that is not accepted is told with its reason, and the server hears the alert") {
  for (const auto offered : versions) {
    const auto context = tls::test::client_context(
        {.versions = offered, .ca_file = test::server().context->certificate(0).files.chain_file});
    for (const bool right : {true, false}) {
      Stage stage;
      Both both(stage);
      both.connect(*context, nullptr, right ? "localhost" : "example.org");
      if (right) {
        REQUIRE(stage.run_until([&] { return both.are_established(); }));
        both.check_alive();
        continue;
      }
      REQUIRE(stage.run_until([&] { return both.client.is_closed() && both.server_owner.heard("failed: tls"); }));
      CHECK(both.client_owner.told == Told{"connected", "failed: tls", "closed"});
      CHECK(both.client.transport()->failure().reason == tls::FailureReason::certificate_refused);
      CHECK(both.client.transport()->failure_text() ==
            "the server's certificate is for localhost, not for example.org");
      CHECK(both.server.transport()->failure().reason == tls::FailureReason::certificate_refused);
    }
  }
}

TEST_CASE("a client's handshake has its turn among all others, its ClientHello too") {
  Stage stage({.handshakes_per_turn = 0});
  const auto context = context_for(tls::VersionsOffered::any);
  std::list<Both> all;
  for (int count = 0; count < 5; ++count) all.emplace_back(stage).connect(*context);
  REQUIRE(stage.run_until([&] { return stage.resources.to_handshake.size() == 5; }));
  for (Both& both : all) CHECK(both.client.bytes_sent() == 0);
  stage.resources.handshakes_per_turn = 2;
  const auto said = [&] { return std::ranges::count_if(all, [](Both& both) { return both.client.bytes_sent() > 0; }); };
  CHECK(stage.resources.end_turn());
  stage.ring.turn(0);
  CHECK(said() == 2);
  REQUIRE(stage.run_until(
      [&] { return std::ranges::all_of(all, [](const Both& both) { return both.are_established(); }); }));
}

TEST_CASE("a connected socket that is adopted as a client speaks first too") {
  Stage stage;
  const auto context = context_for(tls::VersionsOffered::any);
  sim::Server server(stage.world, Stage::node_address());
  test::Link link(stage, std::make_unique<TlsTransport>(std::make_unique<tls::ClientHandshake>(*context, "localhost"),
                                                        stage.resources));
  REQUIRE(stage.run_until([&] { return !link.peer.received().empty(); }));
  CHECK(link.peer.received().starts_with("\x16\x03"));
  // What is no TLS ends it.
  link.peer.send("HTTP/1.1 400 Bad Request\r\n\r\n");
  REQUIRE(stage.run_until([&] { return link.is_closed(); }));
  CHECK(link.owner.told == Told{"failed: tls", "closed"});
  CHECK_FALSE(link.connection.transport()->failure_text().empty());
}

TEST_CASE(
    "a client may end before its connect or its handshake is over, and a server that is silent or ends is survived") {
  const auto context = context_for(tls::VersionsOffered::any);
  for (const int how : {0, 1, 2, 3}) {
    for (const std::uint64_t after_ns : {std::uint64_t{0}, millisecond, 100 * millisecond}) {
      INFO(how << " after " << after_ns);
      Stage stage;
      sim::Server server(stage.world, Stage::node_address());
      Recorder owner;
      Connection client(stage.resources, owner);
      client.connect(Stage::node_address(), 5 * second,
                     std::make_unique<TlsTransport>(std::make_unique<tls::ClientHandshake>(*context, "localhost"),
                                                    stage.resources));
      stage.run_for(after_ns);
      if (how == 0) client.abort();
      if (how == 1) client.finish();
      if (how > 1) {
        REQUIRE(stage.run_until([&] { return !server.peers().empty(); }));
        if (how == 2) server.peers().front()->half_close();
        if (how == 3) server.peers().front()->reset();
        REQUIRE(stage.run_until([&] { return owner.heard("ended by fin") || owner.heard("failed: reset"); }));
        client.abort();
      }
      REQUIRE(stage.run_until([&] { return client.is_closed(); }));
      CHECK_FALSE(owner.heard("established"));
    }
  }
}

TEST_CASE("a refused connect with a transport is refused, and closed") {
  const auto context = context_for(tls::VersionsOffered::any);
  Stage stage;
  Recorder owner;
  Connection client(stage.resources, owner);
  client.connect(
      Stage::node_address(), 5 * second,
      std::make_unique<TlsTransport>(std::make_unique<tls::ClientHandshake>(*context, "localhost"), stage.resources));
  REQUIRE(stage.run_until([&] { return client.is_closed(); }));
  CHECK(owner.told == Told{"failed: refused", "closed"});
}

}  // namespace
}  // namespace ringwall::connection
