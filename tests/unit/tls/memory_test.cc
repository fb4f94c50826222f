// What a connection holds, counted at wolfSSL's allocator.
#include <malloc.h>
#include <ringwall/server/bounds.h>
#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/memory.h>

#include <algorithm>
#include <cstdlib>
#include <span>
#include <utility>
#include <vector>

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

constexpr auto bytes_max = static_cast<long>(server::handshake_wolfssl_bytes_max);

// Plain malloc underneath, so that blocks from before and after go through the same hands.
struct Counted {
  static inline long held = 0, most = 0;

  static void* allocate(std::size_t size) { return add(std::malloc(size)); }
  static void release(void* block) {
    if (block) held -= static_cast<long>(malloc_usable_size(block));
    std::free(block);
  }
  static void* resize(void* block, std::size_t size) {
    if (block) held -= static_cast<long>(malloc_usable_size(block));
    return add(std::realloc(block, size));
  }
  static void* add(void* block) {
    if (block) held += static_cast<long>(malloc_usable_size(block));
    most = std::max(most, held);
    return block;
  }
  Counted() {
    held = most = 0;
    REQUIRE(wolfSSL_SetAllocators(allocate, release, resize) == 0);
  }
  ~Counted() { wolfSSL_SetAllocators(std::malloc, std::free, std::realloc); }
};

// The ClientHello of a client, with padding (RFC 7685) up to the longest that there may be.
std::vector<std::byte> padded(std::vector<std::byte> hello) {
  constexpr std::size_t wanted = 5 + client_hello_bytes_max;
  const auto number = [&](std::size_t at) {
    return std::to_integer<std::size_t>(hello[at]) << 8 | std::to_integer<std::size_t>(hello[at + 1]);
  };
  const auto write = [&](std::size_t at, std::size_t value) {
    hello[at] = static_cast<std::byte>(value >> 8);
    hello[at + 1] = static_cast<std::byte>(value & 0xff);
  };
  std::size_t at = 5 + 4 + 2 + 32;
  at += 1 + std::to_integer<std::size_t>(hello[at]);  // session id
  at += 2 + number(at);                               // cipher suites
  at += 1 + std::to_integer<std::size_t>(hello[at]);  // compression methods
  const std::size_t before = hello.size();
  const std::size_t extensions = number(at);
  REQUIRE(at + 2 + extensions == before);
  hello.resize(wanted);
  write(before, 21);
  write(before + 2, wanted - before - 4);
  write(at, extensions + wanted - before);
  write(3, wanted - 5);
  write(7, wanted - 9);
  return hello;
}

// A handshake record in plain, of so many bytes, with the beginning of a message of `message_bytes`.
std::vector<std::byte> record(std::size_t bytes, std::uint8_t type, std::size_t message_bytes) {
  std::vector<std::byte> wire(5 + bytes);
  wire[0] = std::byte{22};
  wire[1] = wire[2] = std::byte{3};
  wire[3] = static_cast<std::byte>(bytes >> 8);
  wire[4] = static_cast<std::byte>(bytes & 0xff);
  wire[5] = std::byte{type};
  wire[6] = static_cast<std::byte>(message_bytes >> 16);
  wire[7] = static_cast<std::byte>(message_bytes >> 8 & 0xff);
  wire[8] = static_cast<std::byte>(message_bytes & 0xff);
  return wire;
}

TEST_CASE("after the handshake nothing of wolfSSL's is held, however much is said") {
  const Folder folder;
  const Server server(
      {certificate_for(folder, {"localhost"}), certificate_for(folder, {"localhost"}, test::Kind::rsa)});
  const char* ecdsa_only = "ECDSA+SHA256";
  const char* rsa_only = "RSA-PSS+SHA256";
  for (const auto& [version, algorithms] :
       {std::pair(TLS1_2_VERSION, ecdsa_only), std::pair(TLS1_2_VERSION, rsa_only),
        std::pair(TLS1_3_VERSION, ecdsa_only), std::pair(TLS1_3_VERSION, rsa_only)}) {
    const Counted counted;
    {
      Stream stream(server.context);
      Client client({.version_min = version,
                     .version_max = version,
                     .algorithms = algorithms,
                     .server_name = "localhost",
                     .alpn = {"http/1.1"}});
      REQUIRE(shake(stream, client) == End::both_done);
      INFO(version << " " << algorithms << ": at most " << Counted::most << " in the handshake, " << Counted::held
                   << " after it");
      CHECK(Counted::most <= bytes_max);
      stream.forget_handshake();
      CHECK(Counted::held == 0);

      const std::string text(100'000, 'x');
      for (int round = 0; round < 3; ++round) {
        client.send(text);
        CHECK(test::talk(stream, client).by_server == text);
        test::Sent sent;
        REQUIRE(stream.write(as_bytes(text), sent));
        client.receive(sent.bytes);
        CHECK(client.read() == text);
      }
      CHECK(Counted::held == 0);
    }
    CHECK(Counted::held == 0);
  }
}

TEST_CASE("a client that does its worst has no more of wolfSSL's memory in a handshake than is announced") {
  const Folder folder;
  // A message in two records, nearly the longest that wolfSSL collects; the second waits for its last byte.
  constexpr std::size_t first = 16'000;
  constexpr std::size_t message_bytes = 18'432;
  constexpr std::size_t second = record_plaintext_bytes_max;
  for (const test::Kind kind : {test::Kind::ecdsa, test::Kind::rsa}) {
    const Server server({certificate_for(folder, {"localhost"}, kind)});
    for (const int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
      const Counted counted;
      long between = 0;
      {
        Stream stream(server.context);
        // Without a key share that we take: in TLS 1.3 it is asked again, and its answer is in plain.
        Client client({.version_min = version, .version_max = version, .groups = "P-384:P-256"});
        client.step();
        test::Sent sent;
        const auto say = [&](const std::vector<std::byte>& wire) {
          std::span<const std::byte> in = wire;
          const Progress progress = stream.handshake(in, sent);
          between = std::max(between, Counted::held);
          return progress;
        };
        REQUIRE(say(padded(client.out())) == Progress::need_input);
        const std::uint8_t type = version == TLS1_2_VERSION ? 16 : 1;  // ClientKeyExchange, ClientHello
        REQUIRE(say(record(first, type, message_bytes)) == Progress::need_input);
        CHECK(Counted::held > static_cast<long>(message_bytes));
        auto rest = record(second, 0, 0);
        const std::byte last = rest.back();
        rest.pop_back();
        REQUIRE(say(rest) == Progress::need_input);
        CHECK(Counted::held > static_cast<long>(message_bytes + second));
        CHECK(say({last}) == Progress::failed);
      }
      INFO(version << ": at most " << Counted::most << " in a call, " << between << " between two");
      CHECK(Counted::most <= bytes_max);
      CHECK(Counted::held == 0);
    }
  }
}

TEST_CASE("a connection that has not said a whole ClientHello holds nothing of wolfSSL's") {
  const Folder folder;
  const Server server({certificate_for(folder, {"localhost"})});
  const Counted counted;
  Stream stream(server.context);
  Client client({});
  client.step();
  std::vector<std::byte> hello = client.out();
  hello.pop_back();
  std::span<const std::byte> in = hello;
  test::Sent sent;
  REQUIRE(stream.handshake(in, sent) == Progress::need_input);
  CHECK(Counted::held == 0);
}

}  // namespace
}  // namespace ringwall::tls
