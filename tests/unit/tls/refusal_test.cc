// Clients that are refused, and how they are told.
#include <random>

#include "peer.h"
#include "unit/catch.h"

namespace ringwall::tls {
namespace {

using test::as_bytes;
using test::Client;
using test::ClientOptions;
using test::End;
using test::Folder;
using test::Kind;
using test::Progress;
using test::Server;
using test::Stream;

struct Refused {
  Failure failure;
  int alert_at_client = -1;
};

Refused refuse(const Server& server, const ClientOptions& options) {
  Stream stream(server.context);
  Client client(options);
  REQUIRE(shake(stream, client) == End::server_failed);
  return {stream.failure(), client.alert_received};
}

// What handshake() makes of these bytes, given at once.
Failure first_bytes(const Server& server, std::span<const std::byte> bytes, std::vector<std::byte>* answer = nullptr) {
  Stream stream(server.context);
  test::Sent sent;
  const Progress progress = stream.handshake(bytes, sent);
  if (answer) *answer = sent.bytes;
  return progress == Progress::failed ? stream.failure() : Failure{};
}

TEST_CASE("TLS 1.0 and 1.1 are refused with protocol_version") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"}, Kind::rsa)});
  for (const int version : {TLS1_VERSION, TLS1_1_VERSION}) {
    const Refused refused =
        refuse(server, {.version_min = version, .version_max = version, .ciphers = "ALL:@SECLEVEL=0"});
    CHECK(refused.failure.reason == FailureReason::protocol_version);
    CHECK(refused.failure.alert_sent == alert::protocol_version);
    CHECK(refused.alert_at_client == alert::protocol_version);
  }
}

TEST_CASE("TLS 1.2 with CBC, with static RSA or with finite-field DH only is refused with handshake_failure") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"}, Kind::rsa), certificate_for(folder, {"localhost"})});
  for (const char* ciphers :
       {"ECDHE-RSA-AES128-SHA256:ECDHE-RSA-AES256-SHA384:ECDHE-ECDSA-AES128-SHA", "AES128-GCM-SHA256:AES256-SHA",
        "DHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-CCM", "ECDHE-ECDSA-AES128-CCM"}) {
    if (std::string_view(ciphers) == "ECDHE-RSA-AES128-CCM") continue;  // not one of OpenSSL's
    INFO(ciphers);
    const Refused refused = refuse(server, {.version_max = TLS1_2_VERSION, .ciphers = ciphers});
    CHECK(refused.failure.reason == FailureReason::no_shared_cipher);
    CHECK(refused.failure.alert_sent == alert::handshake_failure);
    CHECK(refused.alert_at_client == alert::handshake_failure);
  }
}

TEST_CASE("TLS 1.3 with CCM suites only is refused with handshake_failure") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  const Refused refused =
      refuse(server, {.version_min = TLS1_3_VERSION, .suites = "TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256"});
  CHECK(refused.failure.reason == FailureReason::no_shared_cipher);
  CHECK(refused.alert_at_client == alert::handshake_failure);
}

TEST_CASE("a client that can verify no key of ours is refused with handshake_failure") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    INFO(version);
    const Refused refused =
        refuse(server, {.version_min = version, .version_max = version, .algorithms = "RSA-PSS+SHA256:RSA+SHA256"});
    CHECK(refused.failure.reason == FailureReason::no_shared_cipher);
    CHECK(refused.alert_at_client == alert::handshake_failure);
  }
}

TEST_CASE("a client that speaks no http/1.1 is refused with no_application_protocol") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    const Refused refused = refuse(server, {.version_min = version, .version_max = version, .alpn = {"h2", "h3"}});
    CHECK(refused.failure.reason == FailureReason::no_application_protocol);
    CHECK(refused.failure.alert_sent == alert::no_application_protocol);
    CHECK(refused.alert_at_client == alert::no_application_protocol);
  }
}

TEST_CASE("http/1.1 is agreed when it is among the client's protocols, and none when it names none") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const std::vector<std::string>& protocols :
         {std::vector<std::string>{"h2", "http/1.1"}, std::vector<std::string>{"http/1.1"},
          std::vector<std::string>{}}) {
      Stream stream(server.context);
      Client client({.version_min = version, .version_max = version, .alpn = protocols});
      REQUIRE(shake(stream, client) == End::both_done);
      const unsigned char* chosen = nullptr;
      unsigned size = 0;
      SSL_get0_alpn_selected(client.ssl, &chosen, &size);
      const std::string_view agreed(reinterpret_cast<const char*>(chosen), size);
      CHECK(agreed == (protocols.empty() ? "" : "http/1.1"));
      CHECK(stream.alpn() == agreed);
    }
  }
}

TEST_CASE("HTTP on the TLS port is told apart before anything is sent") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  for (const std::string_view head : {"GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\n", "HEAD /", "OPTIONS * HTTP/1.1",
                                      "PUT /x", "DELETE /", "CONNECT a:1", "PATCH /", "TRACE /", "PRI * HTTP/2.0"}) {
    INFO(head);
    std::vector<std::byte> answer;
    CHECK(first_bytes(server, as_bytes(head), &answer).reason == FailureReason::plain_http);
    CHECK(answer.empty());
    Stream stream(server.context);
    test::Sent sent;
    Progress progress = Progress::need_input;
    for (std::size_t i = 0; i < head.size() && progress == Progress::need_input; ++i) {
      std::span<const std::byte> in = as_bytes(head).subspan(i, 1);
      progress = stream.handshake(in, sent);
    }
    CHECK(progress == Progress::failed);
    CHECK(stream.failure().reason == FailureReason::plain_http);
  }
}

TEST_CASE("what is neither TLS nor HTTP is refused at its first byte or record header, without an answer") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  using std::string_view_literals::operator""sv;
  for (const std::string_view head :
       {"SSH-2.0-x"sv, "get / http"sv, "\x80\x2e\x01"sv, "\x17\x03\x03\x00\x05"sv, "\x00\x00"sv,
        "\x16\x02\x00\x00\x05"sv, "\x15\x03\x03\x00\x02\x02\x28"sv, "HELO x"sv}) {
    std::vector<std::byte> answer;
    CHECK(first_bytes(server, as_bytes(head), &answer).reason == FailureReason::not_tls);
    CHECK(answer.empty());
  }
}

TEST_CASE("a ClientHello that is too long is refused as soon as it says so") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  using std::string_view_literals::operator""sv;
  CHECK(first_bytes(server, as_bytes("\x16\x03\x01\x01\x00\x01\x00\x40\x00"sv)).reason ==
        FailureReason::hello_too_large);
  CHECK(first_bytes(server, as_bytes("\x16\x03\x01\x01\x00\x01\x00\x3f\xfc"sv)).reason == FailureReason::none);
  CHECK(first_bytes(server, as_bytes("\x16\x03\x01\x40\x01"sv)).alert_sent == alert::record_overflow);
  CHECK(first_bytes(server, as_bytes("\x16\x03\x01\x00\x00"sv)).reason == FailureReason::malformed);
  CHECK(first_bytes(server, as_bytes("\x16\x03\x01\x00\x04\x02\x00\x00\x00"sv)).alert_sent ==
        alert::unexpected_message);
}

TEST_CASE("a client that does not trust the certificate is told apart") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  const Certificate other = certificate_for(folder, {"localhost"});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Stream stream(server.context);
    Client client(
        {.version_min = version, .version_max = version, .server_name = "localhost", .trust_file = other.chain_file});
    REQUIRE(shake(stream, client) == End::server_failed);
    CHECK(stream.failure().reason == FailureReason::certificate_refused);
    CHECK(stream.failure().alert_received.has_value());
    CHECK(!stream.failure_text().empty());
  }
}

// A server that stands right after having answered the ClientHello, and the client's next bytes.
struct Midway {
  Midway(const Server& server, int version)
      : stream(server.context), client({.version_min = version, .version_max = version}) {
    client.step();
    const std::vector<std::byte> hello = client.out();
    std::span<const std::byte> in = hello;
    test::Sent sent;
    REQUIRE(stream.handshake(in, sent) == Progress::need_input);
    client.receive(sent.bytes);
    client.step();
    next = client.out();
  }
  Stream stream;
  Client client;
  std::vector<std::byte> next;
};

TEST_CASE("garbage, a changed byte or a repeated message at any stage of the handshake fails it, never more") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  std::mt19937 random(7);
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (int round = 0; round < 200; ++round) {
      // A changed byte in the ClientHello: anything but a crash; where it fails there is a reason and one line of text.
      Stream stream(server.context);
      Client client({.version_min = version, .version_max = version, .server_name = "localhost", .alpn = {"http/1.1"}});
      client.step();
      std::vector<std::byte> hello = client.out();
      hello[random() % hello.size()] ^= static_cast<std::byte>(1 + random() % 255);
      std::span<const std::byte> in = hello;
      test::Sent sent;
      if (stream.handshake(in, sent) == Progress::failed) {
        CHECK(stream.failure().reason != FailureReason::none);
        CHECK(!stream.failure_text().empty());
      }

      Midway midway(server, version);
      const std::size_t at = random() % midway.next.size();
      midway.next[at] ^= static_cast<std::byte>(1 + random() % 255);
      in = midway.next;
      const Progress progress = midway.stream.handshake(in, sent);
      CHECK(progress != Progress::closed);
      if (progress == Progress::done) {
        // Only the version in a record's header, or a middlebox's ChangeCipherSpec, may be anything.
        CHECK(at < 11);
      }
    }
  }
}

TEST_CASE("a second ClientHello in the place of the Finished fails the handshake") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Midway midway(server, version);
    Client other({.version_min = version, .version_max = version});
    other.step();
    const std::vector<std::byte> hello = other.out();
    std::span<const std::byte> in = hello;
    test::Sent sent;
    REQUIRE(midway.stream.handshake(in, sent) == Progress::failed);
    CHECK(midway.stream.failure().reason == FailureReason::malformed);
  }
}

}  // namespace
}  // namespace ringwall::tls
