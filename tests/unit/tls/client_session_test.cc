// One session, got once, resumed by many.
#include "pair.h"
#include "unit/catch.h"

namespace ringwall::tls {
namespace {

using test::Folder;
using test::OpensslServer;
using test::OurClient;
using test::Sent;
using test::Server;
using test::Stream;
using Step = Handshaker::Progress;

constexpr VersionsOffered versions[] = {VersionsOffered::only_tls12, VersionsOffered::only_tls13};

ClientSettings resuming(VersionsOffered offered) { return {.versions = offered, .verify = false, .resume = true}; }

TEST_CASE("the first handshake gets a session, and each later one resumes it, in pieces of any size") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  for (const auto offered : versions) {
    for (const std::size_t step : {std::size_t{1}, std::size_t{100}, SIZE_MAX}) {
      INFO(int(offered) << " in pieces of " << step);
      const auto context = test::client_context(resuming(offered));
      ClientSession session;
      for (int count = 0; count < 4; ++count) {
        Stream stream(server.context);
        OurClient client(*context, "localhost", &session);
        std::vector<std::byte> behind;
        REQUIRE(shake(client, stream, behind, step));
        CHECK(session.is_ready());
        CHECK(client.handshake.resumed() == (count > 0));
        CHECK(stream.resumed() == (count > 0));
        Sent said;
        CHECK(client.read(behind, said).empty());
        CHECK(client.records_progress == Records::Progress::need_input);
        REQUIRE(stream.write(test::as_bytes("hello"), said));
        CHECK(client.read(said.bytes, said) == "hello");
      }
    }
  }
}

TEST_CASE("OpenSSL's sessions are resumed with each suite") {
  const Folder folder;
  const auto certificate = certificate_for(folder, {"localhost"});
  const struct {
    int version;
    const char* suites;
  } cases[] = {{TLS1_3_VERSION, "TLS_AES_128_GCM_SHA256"},        {TLS1_3_VERSION, "TLS_AES_256_GCM_SHA384"},
               {TLS1_3_VERSION, "TLS_CHACHA20_POLY1305_SHA256"},  {TLS1_2_VERSION, "ECDHE-ECDSA-AES128-GCM-SHA256"},
               {TLS1_2_VERSION, "ECDHE-ECDSA-AES256-GCM-SHA384"}, {TLS1_2_VERSION, "ECDHE-ECDSA-CHACHA20-POLY1305"}};
  for (const auto& [version, suites] : cases) {
    INFO(suites);
    OpensslServer server(certificate, version, suites);
    const auto context = test::client_context(resuming(VersionsOffered::any));
    ClientSession session;
    for (int count = 0; count < 3; ++count) {
      server.begin();
      OurClient client(*context, "localhost", &session);
      std::vector<std::byte> behind;
      REQUIRE(shake(client, server, behind));
      CHECK(client.handshake.resumed() == (count > 0));
      CHECK(SSL_session_reused(server.ssl) == (count > 0 ? 1 : 0));
      Sent said;
      CHECK(client.read(behind, said).empty());
      server.receive(client.write("ping"));
      CHECK(server.read() == "ping");
      REQUIRE(SSL_write(server.ssl, "pong", 4) == 4);
      CHECK(client.read(server.out(), said) == "pong");
    }
  }
}

TEST_CASE("a server that has forgotten a session makes a full handshake; in TLS 1.2 the next one is it") {
  const Folder folder;
  const auto certificate = certificate_for(folder, {"localhost"});
  const Server first({certificate}), second({certificate});
  for (const auto offered : versions) {
    const auto context = test::client_context({.versions = offered, .ca_file = certificate.chain_file, .resume = true});
    ClientSession session;
    for (const Server* server : {&first, &first, &second, &second}) {
      Stream stream(server->context);
      OurClient client(*context, "localhost", &session);
      std::vector<std::byte> behind;
      const bool ready = session.is_ready();
      const bool agreed = shake(client, stream, behind);
      INFO(int(offered) << " " << ready << ": " << client.handshake.failure_text());
      if (offered == VersionsOffered::only_tls12 && ready && server == &second) {
        CHECK(client.handshake.failure_text() ==
              "the server does not resume the session of TLS 1.2: the next handshake gets another");
        CHECK_FALSE(session.is_ready());
        continue;
      }
      REQUIRE(agreed);
      CHECK(client.handshake.resumed() == (ready && server == &first));
    }
    CHECK(session.is_ready());
  }
}

TEST_CASE("a server without tickets: TLS 1.3 keeps a handshake that wants one waiting, TLS 1.2 does not") {
  const Folder folder;
  const auto certificate = certificate_for(folder, {"localhost"});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    OpensslServer server(certificate, version, nullptr, false);
    const auto context = test::client_context(resuming(VersionsOffered::any));
    ClientSession session;
    OurClient client(*context, "localhost", &session);
    std::vector<std::byte> behind;
    CHECK(shake(client, server, behind) == (version == TLS1_2_VERSION));
    CHECK((client.progress == Step::done) == (version == TLS1_2_VERSION));
    CHECK_FALSE(session.is_ready());
    if (version == TLS1_2_VERSION) continue;
    // What comes instead of a ticket ends it.
    REQUIRE(SSL_write(server.ssl, "data", 4) == 4);
    std::vector<std::byte> wire = server.out();
    Sent sent;
    CHECK(client.take(wire, SIZE_MAX, sent) == Step::failed);
    CHECK(client.handshake.failure_text() == "the server sends data before its session ticket");
  }
}

TEST_CASE("a key that changes before the ticket, and an end without one, are failures") {
  const Folder folder;
  const auto certificate = certificate_for(folder, {"localhost"});
  for (const bool ends : {false, true}) {
    OpensslServer server(certificate, TLS1_3_VERSION, nullptr, false);
    const auto context = test::client_context(resuming(VersionsOffered::any));
    ClientSession session;
    OurClient client(*context, "localhost", &session);
    std::vector<std::byte> behind;
    CHECK_FALSE(shake(client, server, behind));
    if (ends) {
      SSL_shutdown(server.ssl);
    } else {
      REQUIRE(SSL_key_update(server.ssl, SSL_KEY_UPDATE_NOT_REQUESTED) == 1);
      REQUIRE(SSL_do_handshake(server.ssl) == 1);
    }
    std::vector<std::byte> wire = server.out();
    REQUIRE_FALSE(wire.empty());
    Sent sent;
    CHECK(client.take(wire, 1, sent) == Step::failed);
    CHECK_FALSE(session.is_ready());
    CHECK((client.handshake.failure_text() == "the server changes its key before its session ticket") == !ends);
  }
}

}  // namespace
}  // namespace ringwall::tls
