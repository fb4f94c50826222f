// TlsTransport against OpenSSL, over memory.
#include <ringwall/connection/tls_transport.h>

#include "stage.h"
#include "unit/catch.h"
#include "unit/tls/peer.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::connection {
namespace {

using Progress = TlsTransport::Progress;
using tls::test::as_bytes;
using tls::test::Client;
using tls::test::Folder;

constexpr int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

std::string pattern(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t at = 0; at < bytes; ++at) text[at] = static_cast<char>(at * 31 + at / 251);
  return text;
}

// A server's transport and its client. What each says goes to the other when the test says so.
struct Pair {
  explicit Pair(const tls::test::ClientOptions& options)
      : server({tls::test::certificate_for(folder, {"localhost"})}),
        transport(server.context, stage.resources),
        client(options) {}
  explicit Pair(int version) : Pair(tls::test::ClientOptions{.version_min = version, .version_max = version}) {}

  // Gives the transport what the wire carries, in pieces, as a Connection does; returns all that it was told but for
  // need_input, of which each piece must end in one.
  std::vector<Progress> feed(std::span<const std::byte> wire, std::size_t step_bytes = SIZE_MAX) {
    std::vector<Progress> told;
    while (!wire.empty()) {
      const std::size_t part = std::min({step_bytes, wire.size(), Arena::block_bytes});
      ring::Slice piece = stage.arena.copy(wire.first(part));
      wire = wire.subspan(part);
      for (;;) {
        ring::Slice bytes;
        const Progress progress = transport.open(piece, bytes, out);
        plaintext += tls::test::as_text(bytes.bytes());
        CHECK(bytes.empty() == (progress != Progress::plaintext));
        if (progress == Progress::need_input) {
          CHECK(piece.empty());
          break;
        }
        told.push_back(progress);
        if (progress == Progress::ended || progress == Progress::failed) return told;
      }
    }
    return told;
  }

  bool seal(std::string_view text) {
    std::vector<ring::Slice> queue;
    for (; !text.empty(); text.remove_prefix(std::min(text.size(), Arena::block_bytes))) {
      queue.push_back(stage.arena.copy(as_bytes(text.substr(0, Arena::block_bytes))));
    }
    const bool sealed = transport.seal(queue, SIZE_MAX, out);
    CHECK(queue.empty() == sealed);
    return sealed;
  }

  std::vector<std::byte> answer() {
    std::vector<std::byte> bytes;
    for (const ring::Slice& slice : out) bytes.insert(bytes.end(), slice.bytes().begin(), slice.bytes().end());
    out.clear();
    return bytes;
  }

  // The whole handshake, and what comes behind it.
  std::vector<Progress> shake(std::size_t step_bytes = SIZE_MAX, std::string_view behind = {}) {
    std::vector<Progress> told;
    while (told.empty()) {
      REQUIRE(client.step());
      if (client.done && !behind.empty()) client.send(std::exchange(behind, {}));
      const std::vector<std::byte> wire = client.out();
      REQUIRE_FALSE(wire.empty());
      told = feed(wire, step_bytes);
      client.receive(answer());
    }
    REQUIRE(client.step());
    REQUIRE(client.done);
    (void)client.read();
    return told;
  }

  Folder folder;
  tls::test::Server server;
  test::Stage stage{{.arena_blocks = 64}};
  std::vector<ring::Slice> out;
  TlsTransport transport;
  Client client;
  std::string plaintext;
};

TEST_CASE("a handshake is told as established once, whatever pieces it comes in") {
  for (const int version : versions) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{100}, SIZE_MAX}) {
      INFO(version << " in pieces of " << step);
      Pair pair(tls::test::ClientOptions{.version_min = version, .version_max = version, .server_name = "LocalHost"});
      CHECK_FALSE(pair.transport.is_established());
      CHECK(pair.shake(step) == std::vector{Progress::established});
      CHECK(pair.transport.is_established());
      CHECK(pair.transport.server_name() == "localhost");
      CHECK(pair.plaintext.empty());
    }
  }
}

TEST_CASE("what follows the handshake in the same bytes is the session's") {
  // In TLS 1.2 the server has the last word of a full handshake, so nothing can follow it at once.
  for (const std::size_t step : {std::size_t{1}, SIZE_MAX}) {
    Pair pair(TLS1_3_VERSION);
    CHECK(pair.shake(step, "GET / HTTP/1.1\r\n\r\n") == std::vector{Progress::established, Progress::plaintext});
    CHECK(pair.plaintext == "GET / HTTP/1.1\r\n\r\n");
  }
}

TEST_CASE("plaintext of any size comes through both ways, in pieces of any size") {
  for (const int version : versions) {
    Pair pair(version);
    pair.shake();
    for (const std::size_t bytes : {1U, 16383U, 16384U, 16385U, 100'000U}) {
      for (const std::size_t step : {std::size_t{1}, std::size_t{1000}, SIZE_MAX}) {
        if (step == 1 && bytes > 20'000) continue;
        INFO(version << ", " << bytes << " bytes in pieces of " << step);
        const std::string text = pattern(bytes);
        pair.client.send(text);
        pair.plaintext.clear();
        const std::vector<Progress> told = pair.feed(pair.client.out(), step);
        CHECK(std::ranges::all_of(told, [](Progress progress) { return progress == Progress::plaintext; }));
        CHECK(pair.plaintext == text);

        REQUIRE(pair.seal(text));
        pair.client.receive(pair.answer());
        CHECK(pair.client.read() == text);
      }
    }
    CHECK(pair.out.empty());
  }
}

TEST_CASE("what is sealed at once is in as few records as it fits") {
  for (const int version : versions) {
    Pair pair(version);
    pair.shake();
    const std::string text = pattern(16'384);
    REQUIRE(pair.seal(text));
    CHECK(pair.answer().size() <= text.size() + 40);
  }
}

TEST_CASE("plaintext and close_notify in one read are told one after the other, and sealing goes on") {
  for (const int version : versions) {
    for (const std::size_t step : {std::size_t{1}, SIZE_MAX}) {
      INFO(version << " in pieces of " << step);
      Pair pair(version);
      pair.shake();
      pair.client.send("the last request");
      pair.client.close();
      CHECK(pair.feed(pair.client.out(), step) == std::vector{Progress::plaintext, Progress::ended});
      CHECK(pair.plaintext == "the last request");

      REQUIRE(pair.seal("the last answer"));
      pair.transport.close(pair.out);
      pair.client.receive(pair.answer());
      CHECK(pair.client.read() == "the last answer");
      CHECK(pair.client.closed);
    }
  }
}

TEST_CASE("close says close_notify once") {
  for (const int version : versions) {
    Pair pair(version);
    pair.shake();
    pair.transport.close(pair.out);
    pair.transport.close(pair.out);
    CHECK(pair.out.size() == 1);
    pair.client.receive(pair.answer());
    CHECK(pair.client.read().empty());
    CHECK(pair.client.closed);
    CHECK_FALSE(pair.client.failed);
  }
}

TEST_CASE("a record that was changed on its way fails with an alert, after the plaintext that came before it") {
  for (const int version : versions) {
    INFO(version);
    Pair pair(version);
    pair.shake();
    pair.client.send("good");
    std::vector<std::byte> wire = pair.client.out();
    pair.client.send("bad");
    std::vector<std::byte> changed = pair.client.out();
    changed.back() ^= std::byte{1};
    wire.insert(wire.end(), changed.begin(), changed.end());
    CHECK(pair.feed(wire) == std::vector{Progress::plaintext, Progress::failed});
    CHECK(pair.plaintext == "good");
    CHECK(pair.transport.failure().reason == tls::FailureReason::bad_record);
    CHECK_FALSE(pair.transport.is_plain_http());
    pair.client.receive(pair.answer());
    (void)pair.client.read();
    CHECK(pair.client.alert_received == tls::alert::bad_record_mac);
  }
}

TEST_CASE("a handshake that cannot be agreed on fails with an alert") {
  Pair pair(tls::test::ClientOptions{
      .version_min = TLS1_2_VERSION, .version_max = TLS1_2_VERSION, .ciphers = "AES128-SHA:AES256-SHA"});
  REQUIRE(pair.client.step());
  CHECK(pair.feed(pair.client.out()) == std::vector{Progress::failed});
  CHECK(pair.transport.failure().reason == tls::FailureReason::no_shared_cipher);
  CHECK_FALSE(pair.transport.is_established());
  pair.client.receive(pair.answer());
  CHECK_FALSE(pair.client.step());
  CHECK(pair.client.alert_received == tls::alert::handshake_failure);
}

TEST_CASE("HTTP where TLS was due is known as such, and nothing is said in TLS") {
  for (const std::size_t step : {std::size_t{1}, SIZE_MAX}) {
    Pair pair(TLS1_3_VERSION);
    CHECK(pair.feed(as_bytes("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), step) == std::vector{Progress::failed});
    CHECK(pair.transport.is_plain_http());
    CHECK(pair.transport.failure().reason == tls::FailureReason::plain_http);
    CHECK(pair.out.empty());
  }
}

TEST_CASE("other bytes where TLS was due fail and are not taken for HTTP") {
  Pair pair(TLS1_3_VERSION);
  CHECK(pair.feed(as_bytes("SSH-2.0-OpenSSH_9.2\r\n")) == std::vector{Progress::failed});
  CHECK_FALSE(pair.transport.is_plain_http());
  CHECK(pair.transport.failure().reason == tls::FailureReason::not_tls);
  CHECK(pair.out.empty());
}

TEST_CASE("a KeyUpdate that asks for one is answered, and bytes go on both ways") {
  Pair pair(TLS1_3_VERSION);
  pair.shake();
  for (int round = 0; round < 3; ++round) {
    REQUIRE(SSL_key_update(pair.client.ssl, SSL_KEY_UPDATE_REQUESTED) == 1);
    pair.client.send("with new keys");
    pair.plaintext.clear();
    CHECK(pair.feed(pair.client.out()) == std::vector{Progress::plaintext});
    CHECK(pair.plaintext == "with new keys");
    CHECK(pair.out.size() == 1);
    REQUIRE(pair.seal("so do we"));
    pair.client.receive(pair.answer());
    CHECK(pair.client.read() == "so do we");
  }
}

// The answers to all that one read finds may be larger than a block of the arena.
TEST_CASE(
    "thousands of KeyUpdates that ask for answers, in one piece, are the end of the connection and of nothing else") {
  Pair pair(TLS1_3_VERSION);
  pair.shake();
  std::vector<std::byte> flood;
  for (int count = 0; count < 4000; ++count) {
    REQUIRE(SSL_key_update(pair.client.ssl, SSL_KEY_UPDATE_REQUESTED) == 1);
    (void)SSL_do_handshake(pair.client.ssl);
    const std::vector<std::byte> update = pair.client.out();
    flood.insert(flood.end(), update.begin(), update.end());
  }
  REQUIRE(flood.size() > Arena::block_bytes);
  CHECK(pair.feed(flood).back() == Progress::failed);
}

TEST_CASE("KeyUpdates in step with what is said are fine, however many") {
  Pair pair(TLS1_3_VERSION);
  pair.shake();
  for (int count = 0; count < 500; ++count) {
    REQUIRE(SSL_key_update(pair.client.ssl, SSL_KEY_UPDATE_REQUESTED) == 1);
    pair.client.send("a call of some forty bytes, with new keys");
    REQUIRE(pair.feed(pair.client.out()) == std::vector{Progress::plaintext});
    pair.out.clear();
  }
}

}  // namespace
}  // namespace ringwall::connection
