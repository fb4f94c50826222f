// Handshakes that succeed: each suite, version and kind of key; bytes cut anywhere.
#include <algorithm>

#include "peer.h"
#include "unit/catch.h"

namespace ringwall::tls {
namespace {

using test::Client;
using test::ClientOptions;
using test::End;
using test::Folder;
using test::Kind;
using test::Progress;
using test::Server;
using test::Stream;

TEST_CASE("each TLS 1.3 suite is agreed when the client offers it alone") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  for (const std::string suite : {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}) {
    INFO(suite);
    Stream stream(server.context);
    Client client({.version_min = TLS1_3_VERSION, .suites = suite.c_str()});
    REQUIRE(shake(stream, client) == End::both_done);
    CHECK(stream.version() == "TLSv1.3");
    CHECK(SSL_get_cipher_name(client.ssl) == suite);
    CHECK(!stream.resumed());
    client.send("ping");
    CHECK(test::talk(stream, client).by_server == "ping");
  }
}

TEST_CASE("a handshake that has begun ends with its context, though a reload has put another in its place") {
  const Folder folder;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Server server({certificate_for(folder, {"localhost"})});
    Stream stream(server.context);
    Client client({.version_min = version, .version_max = version});
    REQUIRE(client.step());
    const std::vector<std::byte> hello = client.out();
    std::span<const std::byte> in = hello;
    test::Sent sent;
    REQUIRE(stream.handshake(in, sent) == Progress::need_input);
    const std::weak_ptr<const Context> before = server.context;
    server.context.reset();
    client.receive(sent.bytes);
    REQUIRE(shake(stream, client) == End::both_done);
    CHECK(!before.expired());
    stream.forget_handshake();
    CHECK(before.expired());
    client.send("ping");
    CHECK(test::talk(stream, client).by_server == "ping");
  }
}

TEST_CASE("each TLS 1.2 suite is agreed when the client offers it alone") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"}), certificate_for(folder, {"localhost"}, Kind::rsa)});
  for (const std::string key : {"ECDSA", "RSA"}) {
    for (const std::string cipher : {"AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"}) {
      const std::string suite = "ECDHE-" + key + "-" + cipher;
      INFO(suite);
      Stream stream(server.context);
      Client client({.version_max = TLS1_2_VERSION, .ciphers = suite.c_str()});
      REQUIRE(shake(stream, client) == End::both_done);
      CHECK(stream.version() == "TLSv1.2");
      CHECK(SSL_get_cipher_name(client.ssl) == suite);
      client.send("ping");
      CHECK(test::talk(stream, client).by_server == "ping");
    }
  }
}

TEST_CASE("X25519 and P-256 are agreed in both versions, and no other group") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const std::string group : {"X25519", "P-256", "P-384", "P-521", "X448"}) {
      INFO(version << " " << group);
      Stream stream(server.context);
      // TLS 1.2 wants the certificate's curve among the groups too.
      const std::string groups = version == TLS1_2_VERSION && group != "P-256" ? group + ":P-256" : group;
      Client client({.version_min = version, .version_max = version, .groups = groups.c_str()});
      const End end = shake(stream, client);
      if (group == "X25519" || group == "P-256") {
        CHECK(end == End::both_done);
      } else if (version == TLS1_3_VERSION) {
        CHECK(end == End::server_failed);
        CHECK(stream.failure().reason == FailureReason::no_shared_cipher);
        CHECK(client.alert_received == alert::handshake_failure);
      } else {
        CHECK(end == End::both_done);
        CHECK(SSL_get_negotiated_group(client.ssl) == NID_X9_62_prime256v1);
      }
    }
  }
}

TEST_CASE("a client whose first key share is of a group that is not served is asked for another") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  Stream stream(server.context);
  Client client({.version_min = TLS1_3_VERSION, .groups = "P-384:P-256"});
  REQUIRE(shake(stream, client) == End::both_done);
  client.send("ping");
  CHECK(test::talk(stream, client).by_server == "ping");
}

TEST_CASE("a handshake works however its bytes are cut") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const std::size_t step : {1U, 2U, 3U, 5U, 7U, 64U, 300U}) {
      INFO(version << " in steps of " << step);
      Stream stream(server.context);
      Client client({.version_min = version, .version_max = version, .server_name = "localhost"});
      REQUIRE(shake(stream, client, step) == End::both_done);
      CHECK(stream.server_name() == "localhost");
      client.send("ping");
      CHECK(test::talk(stream, client, step).by_server == "ping");
    }
  }
}

TEST_CASE("a ClientHello in many records is one ClientHello") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const std::size_t part : {1U, 3U, 4U, 50U}) {
      INFO(version << " in records of " << part);
      Stream stream(server.context);
      Client client({.version_min = version, .version_max = version, .server_name = "localhost"});
      client.step();
      const std::vector<std::byte> hello = client.out();
      std::vector<std::byte> cut;
      for (std::size_t at = 5; at < hello.size(); at += part) {
        const std::size_t size = std::min(part, hello.size() - at);
        cut.insert(cut.end(), hello.begin(), hello.begin() + 3);
        cut.push_back(std::byte{0});
        cut.push_back(static_cast<std::byte>(size));
        cut.insert(cut.end(), hello.begin() + static_cast<long>(at), hello.begin() + static_cast<long>(at + size));
      }
      test::Sent sent;
      std::span<const std::byte> in = cut;
      REQUIRE(stream.handshake(in, sent) == Progress::need_input);
      client.receive(sent.bytes);
      REQUIRE(shake(stream, client) == End::both_done);
    }
  }
}

TEST_CASE("nothing is taken from the input past the client's last handshake record") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    INFO(version);
    Stream stream(server.context);
    Client client({.version_min = version, .version_max = version});
    client.step();
    test::Sent sent;
    std::vector<std::byte> bytes = client.out();
    std::span<const std::byte> in = bytes;
    REQUIRE(stream.handshake(in, sent) == Progress::need_input);
    client.receive(sent.bytes);
    client.step();
    bytes = client.out();
    const std::size_t handshake_bytes = bytes.size();
    if (version == TLS1_3_VERSION) client.send("GET / HTTP/1.1\r\n\r\n");  // with the Finished, as clients do
    for (const std::byte byte : client.out()) bytes.push_back(byte);
    bytes.push_back(std::byte{23});  // and the begin of a record
    in = bytes;
    sent.bytes.clear();
    REQUIRE(stream.handshake(in, sent) == Progress::done);
    CHECK(in.size() == bytes.size() - handshake_bytes);
    if (version == TLS1_3_VERSION) {
      std::byte plaintext[100];
      std::size_t n = 0;
      CHECK(stream.read(in, plaintext, n, sent) == Progress::need_input);
      CHECK(test::as_text(std::span(plaintext, n)) == "GET / HTTP/1.1\r\n\r\n");
    }
  }
}

TEST_CASE("the client is not asked for a certificate") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Stream stream(server.context);
    Client client({.version_min = version, .version_max = version});
    REQUIRE(shake(stream, client) == End::both_done);
    CHECK(SSL_get_client_CA_list(client.ssl) == nullptr);
    const unsigned char* types = nullptr;
    CHECK(SSL_get0_certificate_types(client.ssl, &types) == 0);
  }
}

}  // namespace
}  // namespace ringwall::tls
