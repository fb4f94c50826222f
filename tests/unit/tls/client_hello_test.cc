#include <ringwall/tls/client_hello.h>

#include <algorithm>
#include <string>
#include <vector>

#include "peer.h"
#include "unit/catch.h"

namespace ringwall::tls {
namespace {

using test::Client;
using test::ClientOptions;
using Status = HelloReader::Status;

std::vector<std::byte> hello_of(const ClientOptions& options) {
  Client client(options);
  client.step();
  return client.out();
}

std::optional<ClientHello> parsed(const ClientOptions& options) {
  const std::vector<std::byte> record = hello_of(options);
  return parse_client_hello(std::span(record).subspan(5));
}

TEST_CASE("a ClientHello tells name, versions, protocols and what keys the client can verify") {
  const auto hello = parsed({.server_name = "Node.Example", .alpn = {"h2", "http/1.1"}});
  REQUIRE(hello);
  CHECK(hello->server_name == "node.example");
  CHECK(hello->tls13);
  CHECK(hello->tls12);
  CHECK(hello->group);
  CHECK(hello->alpn);
  CHECK(hello->alpn_http11);
  CHECK(hello->ecdsa_p256);
  CHECK(hello->ecdsa_p384);
  CHECK(hello->rsa);

  const auto bare = parsed({.version_max = TLS1_2_VERSION, .alpn = {"h2"}});
  REQUIRE(bare);
  CHECK(bare->server_name.empty());
  CHECK(!bare->tls13);
  CHECK(bare->tls12);
  CHECK(bare->alpn);
  CHECK(!bare->alpn_http11);

  const auto new_only = parsed({.version_min = TLS1_3_VERSION, .groups = "P-384"});
  REQUIRE(new_only);
  CHECK(new_only->tls13);
  CHECK(!new_only->tls12);
  CHECK(!new_only->group);
  CHECK(!new_only->alpn);
}

TEST_CASE("what keys the client can verify depends on the version that it will get") {
  const auto rsa_pkcs1 = parsed({.version_min = TLS1_3_VERSION, .algorithms = "RSA+SHA256:ECDSA+SHA384"});
  REQUIRE(rsa_pkcs1);
  CHECK(!rsa_pkcs1->rsa);  // TLS 1.3 signs with PSS only
  CHECK(!rsa_pkcs1->ecdsa_p256);
  CHECK(rsa_pkcs1->ecdsa_p384);

  const auto old = parsed({.version_max = TLS1_2_VERSION, .algorithms = "RSA+SHA256:ECDSA+SHA384"});
  REQUIRE(old);
  CHECK(old->rsa);
  CHECK(old->ecdsa_p256);  // TLS 1.2 binds no curve to a hash

  const auto suite = parsed({.version_max = TLS1_2_VERSION, .ciphers = "ECDHE-RSA-AES128-GCM-SHA256"});
  REQUIRE(suite);
  CHECK(suite->rsa);
  CHECK(!suite->ecdsa_p256);
}

TEST_CASE("a ClientHello cut off anywhere, or with bytes after it, is malformed") {
  const std::vector<std::byte> record = hello_of({.server_name = "node.example", .alpn = {"http/1.1"}});
  const std::span message = std::span(record).subspan(5);
  REQUIRE(parse_client_hello(message));
  for (std::size_t size = 0; size < message.size(); ++size) CHECK(!parse_client_hello(message.first(size)));
  std::vector<std::byte> longer(message.begin(), message.end());
  longer.push_back(std::byte{0});
  CHECK(!parse_client_hello(longer));
}

TEST_CASE("a server name that is no host name is none") {
  // The name is set as it is by OpenSSL, which does not look at it.
  const std::string too_long(254, 'a');
  for (const std::string& name : std::vector<std::string>{"a b.example", "a\nb", "a/b", "\xff", "a\"b", too_long}) {
    const auto hello = parsed({.server_name = name});
    REQUIRE(hello);
    CHECK(hello->server_name.empty());
  }
  CHECK(parsed({.server_name = "a_b-c.0"})->server_name == "a_b-c.0");
  CHECK(parsed({.server_name = std::string(253, 'a')})->server_name.size() == 253);
}

TEST_CASE("the reader stops right after the record in which the ClientHello ends, however it is cut") {
  std::vector<std::byte> bytes = hello_of({});
  const std::size_t size = bytes.size();
  bytes.resize(size + 10, std::byte{0x17});
  for (std::size_t cut = 0; cut <= size; ++cut) {
    HelloReader reader;
    std::span<const std::byte> first = std::span(bytes).first(cut);
    const Status status = reader.consume(first);
    CHECK(first.empty());
    if (cut == size) {
      CHECK(status == Status::complete);
      continue;
    }
    REQUIRE(status == Status::need_input);
    std::span<const std::byte> rest = std::span(bytes).subspan(cut);
    REQUIRE(reader.consume(rest) == Status::complete);
    CHECK(rest.size() == 10);
    CHECK(std::equal(reader.record().begin(), reader.record().end(), bytes.begin(),
                     bytes.begin() + static_cast<long>(size)));
  }
}

// The message of `record` in records of `part` bytes.
std::vector<std::byte> fragmented(const std::vector<std::byte>& record, std::size_t part) {
  std::vector<std::byte> out;
  for (std::size_t at = 5; at < record.size(); at += part) {
    const std::size_t size = std::min(part, record.size() - at);
    out.insert(out.end(), record.begin(), record.begin() + 3);
    out.push_back(static_cast<std::byte>(size >> 8));
    out.push_back(static_cast<std::byte>(size & 0xff));
    out.insert(out.end(), record.begin() + static_cast<long>(at), record.begin() + static_cast<long>(at + size));
  }
  return out;
}

TEST_CASE("a ClientHello in fragments is joined into the record that it would have been") {
  const std::vector<std::byte> record = hello_of({.server_name = "node.example"});
  for (const std::size_t part : {1U, 3U, 4U, 5U, 100U, 500U}) {
    const std::vector<std::byte> bytes = fragmented(record, part);
    HelloReader reader;
    std::span<const std::byte> in = bytes;
    REQUIRE(reader.consume(in) == Status::complete);
    CHECK(in.empty());
    CHECK(std::equal(reader.record().begin(), reader.record().end(), record.begin(), record.end()));
  }
}

Status consume(std::vector<std::byte> bytes, HelloReader& reader) {
  std::span<const std::byte> in = bytes;
  return reader.consume(in);
}

TEST_CASE("another record, an empty record or bytes after the ClientHello in its record are refused") {
  const std::vector<std::byte> record = hello_of({});
  HelloReader alert, empty, after;
  std::vector<std::byte> bytes = fragmented(record, 50);
  bytes.resize(55);
  std::vector<std::byte> with_alert = bytes;
  with_alert.push_back(std::byte{21});
  CHECK(consume(with_alert, alert) == Status::refused);
  CHECK(alert.alert() == alert::unexpected_message);

  std::vector<std::byte> with_empty = bytes;
  for (const int byte : {0x16, 3, 1, 0, 0}) with_empty.push_back(static_cast<std::byte>(byte));
  CHECK(consume(with_empty, empty) == Status::refused);
  CHECK(empty.alert() == alert::decode_error);

  std::vector<std::byte> longer = record;
  longer.push_back(std::byte{0});
  longer[4] = static_cast<std::byte>(std::to_integer<int>(longer[4]) + 1);
  CHECK(consume(longer, after) == Status::refused);
  CHECK(after.reason() == FailureReason::malformed);
}

TEST_CASE("fragments that would pass 16 KiB together are refused before they are taken") {
  std::vector<std::byte> bytes;
  const auto add = [&](std::size_t size, bool first) {
    for (const int byte : {0x16, 3, 1}) bytes.push_back(static_cast<std::byte>(byte));
    bytes.push_back(static_cast<std::byte>(size >> 8));
    bytes.push_back(static_cast<std::byte>(size & 0xff));
    const std::size_t from = bytes.size();
    bytes.resize(from + size);
    if (!first) return;
    bytes[from] = std::byte{1};
    bytes[from + 2] = std::byte{0x3f};
    bytes[from + 3] = std::byte{0xfc};  // 16,384 with its header
  };
  add(10000, true);
  add(6384, false);
  HelloReader fits, passes;
  CHECK(consume(bytes, fits) == Status::complete);
  bytes.clear();
  add(10000, true);
  add(6385, false);
  bytes.resize(10000 + 10);
  CHECK(consume(bytes, passes) == Status::need_input);
  CHECK(consume({std::byte{0}}, passes) == Status::refused);
  CHECK(passes.reason() == FailureReason::hello_too_large);
}

}  // namespace
}  // namespace ringwall::tls
