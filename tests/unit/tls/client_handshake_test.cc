// The client's handshake: agreed on with our server and OpenSSL's, in pieces, and refused where it must be.
#include "pair.h"
#include "unit/catch.h"

namespace ringwall::tls {
namespace {

using test::as_bytes;
using test::Folder;
using test::OpensslServer;
using test::OurClient;
using test::Sent;
using test::Server;
using test::Stream;
using std::string_view_literals::operator""sv;
using Step = Handshaker::Progress;

ClientSettings anyone(VersionsOffered versions = VersionsOffered::any) {
  return {.versions = versions, .verify = false};
}

// "ping" there, and "pong" back.
void check_records(OurClient& client, Stream& server, std::span<const std::byte> behind) {
  Sent from_client;
  Sent from_server;
  CHECK(client.read(behind, from_client).empty());
  CHECK(client.records_progress == Records::Progress::need_input);
  const std::vector<std::byte> wire = client.write("ping");
  std::span<const std::byte> in = wire;
  std::byte text[16];
  std::size_t bytes = 0;
  (void)server.read(in, text, bytes, from_server);
  CHECK(test::as_text(std::span(text, bytes)) == "ping");
  REQUIRE(server.write(as_bytes("pong"), from_server));
  server.close(from_server);
  CHECK(client.read(from_server.bytes, from_client) == "pong");
  CHECK(client.records_progress == Records::Progress::closed);
}

TEST_CASE("our client and our server agree in each version, in pieces of any size, and the records go on from there") {
  const Folder folder;
  for (const auto kind : {test::Kind::ecdsa, test::Kind::rsa}) {
    const Server server({certificate_for(folder, {"localhost"}, kind)});
    for (const auto versions : {VersionsOffered::any, VersionsOffered::only_tls12, VersionsOffered::only_tls13}) {
      const auto context = test::client_context(anyone(versions));
      for (const std::size_t step : {std::size_t{1}, std::size_t{700}, SIZE_MAX}) {
        INFO(int(versions) << " in pieces of " << step);
        Stream stream(server.context);
        OurClient client(*context, "localhost");
        std::vector<std::byte> behind;
        REQUIRE(shake(client, stream, behind, step));
        CHECK(client.handshake.version() == (versions == VersionsOffered::only_tls12 ? "TLSv1.2" : "TLSv1.3"));
        CHECK(client.handshake.cipher_name() == stream.cipher_name());
        CHECK(client.handshake.cipher_name().find("AES_128_GCM") != std::string_view::npos);
        CHECK(client.handshake.alpn() == "http/1.1");
        CHECK(stream.alpn() == "http/1.1");
        CHECK_FALSE(client.handshake.resumed());
        CHECK(stream.server_name() == "localhost");
        check_records(client, stream, behind);
      }
    }
  }
}

TEST_CASE("the client agrees with OpenSSL's server on each suite, and their records go on from there") {
  const Folder folder;
  const Certificate ecdsa = certificate_for(folder, {"localhost"});
  const Certificate rsa = certificate_for(folder, {"localhost"}, test::Kind::rsa);
  const auto context = test::client_context(anyone());
  const struct {
    int version;
    const char* suites;
    const Certificate& certificate;
  } cases[] = {
      {TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256", ecdsa},
      {TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384", rsa},
      {TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256", ecdsa},
      {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256", ecdsa},
      {TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384", ecdsa},
      {TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305", ecdsa},
      {TLS1_2_VERSION, "ECDHE-RSA-AES128-GCM-SHA256", rsa},
      {TLS1_2_VERSION, "ECDHE-RSA-AES256-GCM-SHA384", rsa},
      {TLS1_2_VERSION, "ECDHE-RSA-CHACHA20-POLY1305", rsa},
  };
  for (const auto& [version, suites, certificate] : cases) {
    INFO(suites);
    OpensslServer server(certificate, version, suites);
    OurClient client(*context, "localhost");
    std::vector<std::byte> behind;
    REQUIRE(shake(client, server, behind));
    CHECK(behind.empty() == (version == TLS1_2_VERSION));  // two tickets
    Sent said;
    CHECK(client.read(behind, said).empty());
    CHECK(client.records_progress == Records::Progress::need_input);
    for (int round = 0; round < 3; ++round) {
      server.receive(client.write("ping"));
      CHECK(server.read() == "ping");
      REQUIRE(SSL_write(server.ssl, "pong", 4) == 4);
      CHECK(client.read(server.out(), said) == "pong");
      if (version == TLS1_3_VERSION) REQUIRE(SSL_key_update(server.ssl, SSL_KEY_UPDATE_REQUESTED) == 1);
      server.receive(said.bytes);
      said.bytes.clear();
    }
  }
}

TEST_CASE("what follows the server's last handshake record is left in the input") {
  const Folder folder;
  const auto certificate = certificate_for(folder, {"localhost"});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const auto context = test::client_context(anyone());
    OpensslServer server(certificate, version);
    OurClient client(*context, "localhost");
    Sent sent;
    std::vector<std::byte> wire;
    for (int flight = 0; flight < (version == TLS1_3_VERSION ? 1 : 2); ++flight) {
      REQUIRE(client.take(wire, SIZE_MAX, sent) == Step::need_input);
      server.receive(std::exchange(sent.bytes, {}));
      (void)server.step();
      wire = server.out();
    }
    const std::vector<std::byte> behind(100, std::byte{0x5a});
    wire.insert(wire.end(), behind.begin(), behind.end());
    CHECK(client.take(wire, SIZE_MAX, sent) == Step::done);
    CHECK(wire == behind);
  }
}

TEST_CASE("an address is not sent as a server name") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  const auto context = test::client_context(anyone());
  for (const char* name : {"127.0.0.1", "::1", "2001:DB8::7"}) {
    Stream stream(server.context);
    OurClient client(*context, name);
    std::vector<std::byte> behind;
    REQUIRE(shake(client, stream, behind));
    CHECK(stream.server_name().empty());
  }
  Stream stream(server.context);
  OurClient client(*context, "LocalHost.");
  std::vector<std::byte> behind;
  REQUIRE(shake(client, stream, behind));
  CHECK(stream.server_name() == "localhost");
}

TEST_CASE("versions that do not meet fail with the server's alert") {
  const Folder folder;
  const auto certificate = certificate_for(folder, {"localhost"});
  for (const auto& [offered, version] : {std::pair(VersionsOffered::only_tls12, TLS1_3_VERSION),
                                         std::pair(VersionsOffered::only_tls13, TLS1_2_VERSION)}) {
    const auto context = test::client_context(anyone(offered));
    OpensslServer server(certificate, version);
    OurClient client(*context, "localhost");
    std::vector<std::byte> behind;
    CHECK_FALSE(shake(client, server, behind));
    CHECK(client.progress == Step::failed);
    CHECK(client.handshake.failure().reason == FailureReason::peer_alert);
    CHECK(client.handshake.failure().alert_received == alert::protocol_version);
    CHECK(client.handshake.failure_text().find("the server sent protocol_version") != std::string::npos);
  }
}

TEST_CASE("suites that do not meet fail with the server's alert") {
  const Folder folder;
  const auto context = test::client_context(anyone());
  OpensslServer server(certificate_for(folder, {"localhost"}), TLS1_2_VERSION, "ECDHE-ECDSA-AES128-SHA");
  OurClient client(*context, "localhost");
  std::vector<std::byte> behind;
  CHECK_FALSE(shake(client, server, behind));
  CHECK(client.handshake.failure().alert_received == alert::handshake_failure);
}

TEST_CASE("what is no TLS, or cut, or changed, fails and is not taken for a handshake") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  for (const auto versions : {VersionsOffered::only_tls12, VersionsOffered::only_tls13}) {
    const auto context = test::client_context(anyone(versions));
    for (const std::string_view text : {"HTTP/1.1 400 Bad Request\r\n\r\n"sv, "SSH-2.0-OpenSSH_9.2\r\n"sv,
                                        "\x15\x03\x03\x00\x02\x02\x28"sv, "\x16\x03\x03\x00\x04\x02\x00\x00\x00"sv}) {
      OurClient client(*context, "localhost");
      Sent sent;
      std::vector<std::byte> wire;
      REQUIRE(client.take(wire, SIZE_MAX, sent) == Step::need_input);
      CHECK_FALSE(sent.bytes.empty());
      wire.assign(as_bytes(text).begin(), as_bytes(text).end());
      CHECK(client.take(wire, SIZE_MAX, sent) == Step::failed);
      CHECK(client.handshake.failure().reason != FailureReason::none);
      CHECK_FALSE(client.handshake.failure_text().empty());
    }
    for (std::size_t at = 0; at < 900; at += 37) {
      INFO("byte " << at);
      Stream stream(server.context);
      OurClient client(*context, "localhost");
      Sent hello;
      std::vector<std::byte> wire;
      REQUIRE(client.take(wire, SIZE_MAX, hello) == Step::need_input);
      std::span<const std::byte> in = hello.bytes;
      Sent answer;
      REQUIRE(stream.handshake(in, answer) == test::Progress::need_input);
      if (at >= answer.bytes.size()) break;
      answer.bytes[at] ^= std::byte{0x10};
      // Then it fails here, or waits for more, or the server will not take what it answers: it is never done.
      CHECK(client.take(answer.bytes, SIZE_MAX, hello) != Step::done);
    }
  }
}

}  // namespace
}  // namespace ringwall::tls
