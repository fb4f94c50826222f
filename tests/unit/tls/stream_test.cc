// An established connection: data both ways, KeyUpdate, close_notify, and what breaks it.
#include "peer.h"
#include "unit/catch.h"

namespace ringwall::tls {
namespace {

using test::as_bytes;
using test::Client;
using test::End;
using test::Folder;
using test::Progress;
using test::Server;
using test::Stream;

struct Connection {
  Connection(const Server& server, int version, std::size_t block_padding = 0)
      : stream(server.context),
        client({.version_min = version, .version_max = version, .block_padding = block_padding}) {
    REQUIRE(shake(stream, client) == End::both_done);
    test::talk(stream, client);
  }
  // What the stream wrote, at the client.
  std::string deliver(test::Sent& sent) {
    client.receive(sent.bytes);
    sent.bytes.clear();
    return client.read();
  }
  // Reads `in` whole.
  Progress read(std::span<const std::byte> in, std::string& text, test::Sent& sent, std::size_t room = 4096) {
    std::vector<std::byte> plaintext(room);
    for (;;) {
      std::size_t n = 0;
      const Progress progress = stream.read(in, plaintext, n, sent);
      text += test::as_text(std::span(plaintext).first(n));
      if (progress != Progress::done) return progress;
    }
  }
  Stream stream;
  Client client;
};

std::string pattern(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + i / 251);
  return text;
}

TEST_CASE("messages of any size come through both ways, whatever the plaintext buffer") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Connection connection(server, version);
    for (const std::size_t size : {1U, 2U, 100U, 16383U, 16384U, 16385U, 70000U, 1048576U}) {
      INFO(version << " " << size);
      const std::string text = pattern(size);
      test::Sent sent;
      REQUIRE(connection.stream.write(as_bytes(text), sent));
      CHECK(sent.bytes.size() <= size + (size / 16384 + 1) * 64);
      CHECK(connection.deliver(sent) == text);

      for (const std::size_t room : {1U, 1000U, 16384U, 100000U}) {
        if (room == 1 && size > 20000) continue;
        connection.client.send(text);
        const std::vector<std::byte> ciphertext = connection.client.out();
        std::string heard;
        CHECK(connection.read(ciphertext, heard, sent, room) == Progress::need_input);
        CHECK(heard == text);
        CHECK(sent.bytes.empty());
      }
    }
  }
}

TEST_CASE("data come through in bytes given one by one") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    Connection connection(server, version);
    const std::string text = pattern(20000);
    connection.client.send(text);
    CHECK(test::talk(connection.stream, connection.client, 1).by_server == text);
  }
}

TEST_CASE("a full plaintext buffer is done, and the rest comes without further input") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  Connection connection(server, TLS1_3_VERSION);
  connection.client.send("0123456789");
  const std::vector<std::byte> ciphertext = connection.client.out();
  std::span<const std::byte> in = ciphertext;
  test::Sent sent;
  std::byte plaintext[4];
  std::size_t n = 0;
  REQUIRE(connection.stream.read(in, plaintext, n, sent) == Progress::done);
  CHECK(test::as_text(std::span(plaintext, n)) == "0123");
  CHECK(in.empty());
  REQUIRE(connection.stream.read(in, plaintext, n, sent) == Progress::done);
  CHECK(test::as_text(std::span(plaintext, n)) == "4567");
  REQUIRE(connection.stream.read(in, plaintext, n, sent) == Progress::need_input);
  CHECK(test::as_text(std::span(plaintext, n)) == "89");
}

TEST_CASE("nothing written is nothing sent") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  Connection connection(server, TLS1_3_VERSION);
  test::Sent sent;
  CHECK(connection.stream.write({}, sent));
  CHECK(sent.bytes.empty());
}

TEST_CASE("a KeyUpdate of the client is followed, and answered when it asks for that") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  Connection connection(server, TLS1_3_VERSION);
  for (const int kind : {SSL_KEY_UPDATE_NOT_REQUESTED, SSL_KEY_UPDATE_REQUESTED, SSL_KEY_UPDATE_REQUESTED}) {
    REQUIRE(SSL_key_update(connection.client.ssl, kind) == 1);
    connection.client.send("after the update");
    const std::vector<std::byte> ciphertext = connection.client.out();
    test::Sent sent;
    std::string heard;
    REQUIRE(connection.read(ciphertext, heard, sent) == Progress::need_input);
    CHECK(heard == "after the update");
    CHECK(sent.bytes.empty() == (kind == SSL_KEY_UPDATE_NOT_REQUESTED));
    REQUIRE(connection.stream.write(as_bytes("answer"), sent));
    CHECK(connection.deliver(sent) == "answer");
  }
}

TEST_CASE("the client's close_notify ends reading after the data before it, and writing goes on") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    INFO(version);
    Connection connection(server, version);
    connection.client.send("last words");
    connection.client.close();
    const std::vector<std::byte> ciphertext = connection.client.out();
    test::Sent sent;
    std::string heard;
    CHECK(connection.read(ciphertext, heard, sent) == Progress::closed);
    CHECK(heard == "last words");
    REQUIRE(connection.stream.write(as_bytes("answer"), sent));
    connection.stream.close(sent);
    CHECK(connection.deliver(sent) == "answer");
    CHECK(connection.client.closed);
  }
}

TEST_CASE("close sends close_notify once and reading goes on") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    INFO(version);
    Connection connection(server, version);
    test::Sent sent;
    connection.stream.close(sent);
    const std::size_t size = sent.bytes.size();
    CHECK(size > 0);
    connection.stream.close(sent);
    CHECK(sent.bytes.size() == size);
    connection.client.send("still here");
    const std::vector<std::byte> ciphertext = connection.client.out();
    std::string heard;
    CHECK(connection.read(ciphertext, heard, sent) == Progress::need_input);
    CHECK(heard == "still here");
    connection.deliver(sent);
    CHECK(connection.client.closed);
  }
}

TEST_CASE("close before the handshake is done, or after a failure, sends nothing") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  Stream stream(server.context);
  test::Sent sent;
  stream.close(sent);
  CHECK(sent.bytes.empty());
  std::span<const std::byte> in = as_bytes("GET / HTTP/1.1");
  REQUIRE(stream.handshake(in, sent) == Progress::failed);
  stream.close(sent);
  CHECK(sent.bytes.empty());
}

TEST_CASE("a record with any byte of its body changed fails as a bad record, with bad_record_mac") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (std::size_t at = 5; at < 40; ++at) {
      INFO(version << " " << at);
      Connection connection(server, version);
      connection.client.send("first");
      std::vector<std::byte> ciphertext = connection.client.out();
      connection.client.send(pattern(40));
      std::vector<std::byte> changed = connection.client.out();
      REQUIRE(at < changed.size());
      changed[at] ^= std::byte{0x40};
      ciphertext.insert(ciphertext.end(), changed.begin(), changed.end());
      test::Sent sent;
      std::string heard;
      REQUIRE(connection.read(ciphertext, heard, sent) == Progress::failed);
      CHECK(heard == "first");
      CHECK(connection.stream.failure().reason == FailureReason::bad_record);
      CHECK(connection.stream.failure().alert_sent == alert::bad_record_mac);
      connection.deliver(sent);
      CHECK(connection.client.alert_received == alert::bad_record_mac);
    }
  }
}

TEST_CASE("plaintext after the handshake fails") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  using std::string_view_literals::operator""sv;
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    for (const std::string_view bytes :
         {"GET / HTTP/1.1\r\n\r\n"sv, "\x17\x03\x03\x00\x01x"sv, "\x17\x03\x03\xff\xff"sv,
          "\x16\x03\x03\x00\x04\x01\x00\x00\x00"sv, "\x15\x03\x03\x00\x02\x02\x28"sv, "\x14\x03\x03\x00\x01\x01"sv}) {
      Connection connection(server, version);
      test::Sent sent;
      std::string heard;
      const Progress progress = connection.read(as_bytes(bytes), heard, sent);
      INFO(version << " " << int(bytes[0]) << " " << connection.stream.failure_text());
      CHECK(progress == Progress::failed);
      CHECK(heard.empty());
    }
  }
}

TEST_CASE("the padding of a TLS 1.3 record is taken off") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  Connection connection(server, TLS1_3_VERSION, 512);
  connection.client.send("padded");
  const std::vector<std::byte> ciphertext = connection.client.out();
  CHECK(ciphertext.size() > 512);
  test::Sent sent;
  std::string heard;
  CHECK(connection.read(ciphertext, heard, sent) == Progress::need_input);
  CHECK(heard == "padded");
}

TEST_CASE("a renegotiation that the client asks for in TLS 1.2 is refused") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  Connection connection(server, TLS1_2_VERSION);
  REQUIRE(SSL_renegotiate(connection.client.ssl) == 1);
  SSL_do_handshake(connection.client.ssl);
  const std::vector<std::byte> ciphertext = connection.client.out();
  REQUIRE(!ciphertext.empty());
  test::Sent sent;
  std::string heard;
  CHECK(connection.read(ciphertext, heard, sent) == Progress::need_input);
  connection.deliver(sent);
  CHECK(connection.client.alert_received == alert::no_renegotiation);
}

TEST_CASE("a fatal alert of the client fails with its number") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
    INFO(version);
    Connection connection(server, version);
    // A record that the client can't decrypt makes it send bad_record_mac.
    test::Sent sent;
    REQUIRE(connection.stream.write(as_bytes("x"), sent));
    sent.bytes.back() ^= std::byte{1};
    connection.deliver(sent);
    CHECK(connection.client.failed);
    const std::vector<std::byte> ciphertext = connection.client.out();
    std::string heard;
    REQUIRE(connection.read(ciphertext, heard, sent) == Progress::failed);
    CHECK(connection.stream.failure().reason == FailureReason::peer_alert);
    CHECK(connection.stream.failure().alert_received == alert::bad_record_mac);
  }
}

}  // namespace
}  // namespace ringwall::tls
