#include <ringwall/session/client_address.h>

#include "unit/catch.h"
#include "unit/http/heads.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <string>
#include <string_view>
#include <vector>

namespace ringwall::session {
namespace {

AddressBytes parsed(std::string_view text) {
  const auto address = parse_address(text);
  INFO(text);
  REQUIRE(address);
  return *address;
}

config::Cidr range(std::string_view text, std::uint8_t bits) {
  const AddressBytes address = parsed(text);
  return {.address = address, .prefix_bits = static_cast<std::uint8_t>(text.contains(':') ? bits : 96 + bits)};
}

// Proxies in 10.0.0.0/8 and fd00::/8 are trusted.
ClientOrigin origin_of(std::string_view peer, const std::vector<std::string>& fields, bool https = false) {
  std::string text = "GET / HTTP/1.1\r\nHost: localhost\r\n";
  for (const std::string& field : fields) text += field + "\r\n";
  text += "\r\n";
  return client_origin(parsed(peer), https, http::request_of(text), {range("10.0.0.0", 8), range("fd00::", 8)});
}

std::string address_of(std::string_view peer, const std::vector<std::string>& fields) {
  return to_text(origin_of(peer, fields).address);
}

TEST_CASE("an address of either family is told as it is written") {
  for (const char* text : {"192.0.2.1", "0.0.0.0", "255.255.255.255", "2001:db8::1", "::1",
                           "::", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "fe80::1"}) {
    CHECK(to_text(parsed(text)) == text);
  }
}

TEST_CASE("IPv4 mapped into IPv6 is the same address") {
  CHECK(parsed("::ffff:192.0.2.1") == parsed("192.0.2.1"));
  CHECK(to_text(parsed("::ffff:192.0.2.1")) == "192.0.2.1");
  CHECK(parsed("::192.0.2.1") != parsed("192.0.2.1"));
  CHECK(parsed("2001:db8:0:0::1") == parsed("2001:DB8::1"));
}

TEST_CASE("what is no address is none") {
  for (const std::string_view text :
       {std::string_view(""), std::string_view(" "), std::string_view("192.0.2"), std::string_view("192.0.2.256"),
        std::string_view("192.0.2.1 "), std::string_view("192.0.2.01"), std::string_view("192.0.2.1:80"),
        std::string_view("[::1]"), std::string_view("::1%lo"), std::string_view("unknown"), std::string_view("1"),
        std::string_view("2001:db8::1::2"), std::string_view("192.0.2.1\0", 10), std::string_view("192.0.2.1\0x", 11),
        std::string_view("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")}) {
    INFO(text);
    CHECK_FALSE(parse_address(text));
  }
  CHECK_FALSE(parse_address(std::string(100'000, '1')));
}

TEST_CASE("a socket's address is read in both families") {
  ring::SocketAddress v4;
  v4.storage.ss_family = AF_INET;
  inet_pton(AF_INET, "192.0.2.1", &reinterpret_cast<sockaddr_in&>(v4.storage).sin_addr);
  CHECK(address_bytes(v4) == parsed("192.0.2.1"));
  ring::SocketAddress v6;
  v6.storage.ss_family = AF_INET6;
  inet_pton(AF_INET6, "2001:db8::1", &reinterpret_cast<sockaddr_in6&>(v6.storage).sin6_addr);
  CHECK(address_bytes(v6) == parsed("2001:db8::1"));
  inet_pton(AF_INET6, "::ffff:192.0.2.1", &reinterpret_cast<sockaddr_in6&>(v6.storage).sin6_addr);
  CHECK(address_bytes(v6) == parsed("192.0.2.1"));
}

TEST_CASE("a share is an IPv4 address's own, and of IPv6 that of the /64") {
  CHECK(share_key(parsed("192.0.2.1")) != share_key(parsed("192.0.2.2")));
  CHECK(share_key(parsed("192.0.2.1")) == share_key(parsed("::ffff:192.0.2.1")));
  CHECK(share_key(parsed("2001:db8:1:2::1")) == share_key(parsed("2001:db8:1:2:ffff:ffff:ffff:ffff")));
  CHECK(share_key(parsed("2001:db8:1:2::1")) != share_key(parsed("2001:db8:1:3::1")));
  CHECK(share_key(parsed("2001:db8:1:2::1")) == parsed("2001:db8:1:2::"));
}

TEST_CASE("a peer that is no trusted proxy is the client, whatever it says") {
  CHECK(address_of("203.0.113.5", {}) == "203.0.113.5");
  CHECK(address_of("203.0.113.5", {"X-Forwarded-For: 198.51.100.1"}) == "203.0.113.5");
  CHECK_FALSE(origin_of("203.0.113.5", {"X-Forwarded-Proto: https"}).https);
  CHECK(origin_of("203.0.113.5", {"X-Forwarded-Proto: http"}, true).https);
}

TEST_CASE("behind a trusted proxy the client is the last that no trusted proxy is") {
  CHECK(address_of("10.0.0.1", {"X-Forwarded-For: 203.0.113.5"}) == "203.0.113.5");
  CHECK(address_of("fd00::1", {"X-Forwarded-For: 2001:db8::5"}) == "2001:db8::5");
  CHECK(address_of("10.0.0.1", {"X-Forwarded-For: 198.51.100.1, 203.0.113.5"}) == "203.0.113.5");
  CHECK(address_of("10.0.0.1", {"X-Forwarded-For: 198.51.100.1, 203.0.113.5, 10.0.0.2,fd00::3"}) == "203.0.113.5");
  CHECK(address_of("10.0.0.1", {"x-forwarded-for: 198.51.100.1", "X-FORWARDED-FOR: 203.0.113.5, 10.0.0.2"}) ==
        "203.0.113.5");
  CHECK(address_of("10.0.0.1", {"X-Forwarded-For: 203.0.113.5", "X-Forwarded-For: 10.0.0.2"}) == "203.0.113.5");
  CHECK(address_of("10.0.0.1", {"X-Forwarded-For: \t203.0.113.5 \t,  10.0.0.2\t"}) == "203.0.113.5");
}

TEST_CASE("when all are trusted the first of them is the client, and without a word the proxy itself") {
  CHECK(address_of("10.0.0.1", {"X-Forwarded-For: 10.0.0.3, 10.0.0.2"}) == "10.0.0.3");
  CHECK(address_of("10.0.0.1", {}) == "10.0.0.1");
  CHECK(address_of("10.0.0.1", {"X-Forwarded-For:"}) == "10.0.0.1");
}

TEST_CASE("a mapped address in the list is taken for the IPv4 address that it is") {
  CHECK(address_of("10.0.0.1", {"X-Forwarded-For: 203.0.113.5, ::ffff:10.0.0.2"}) == "203.0.113.5");
  CHECK(address_of("::ffff:10.0.0.1", {"X-Forwarded-For: ::ffff:203.0.113.5"}) == "203.0.113.5");
}

TEST_CASE("a member of the list may have a port") {
  CHECK(address_of("10.0.0.1", {"X-Forwarded-For: 198.51.100.9:1234"}) == "198.51.100.9");
  CHECK(address_of("10.0.0.1", {"X-Forwarded-For: [2001:db8::1]:5"}) == "2001:db8::1");
  CHECK(address_of("10.0.0.1", {"X-Forwarded-For: [2001:db8::1]"}) == "2001:db8::1");
  for (const char* junk :
       {"198.51.100.9:", "198.51.100.9:x", "198.51.100.9:123456", "[2001:db8::1", "[2001:db8::1]5", "[]:5", ":80"}) {
    INFO(junk);
    CHECK(address_of("10.0.0.1", {"X-Forwarded-For: " + std::string(junk)}) == "10.0.0.1");
  }
}

TEST_CASE("junk in the list ends it: whoever wrote it is not to be believed") {
  CHECK(address_of("10.0.0.1", {"X-Forwarded-For: 203.0.113.5, unknown"}) == "10.0.0.1");
  CHECK(address_of("10.0.0.1", {"X-Forwarded-For: 203.0.113.5, junk, 10.0.0.2"}) == "10.0.0.2");
  CHECK(address_of("10.0.0.1", {"X-Forwarded-For: 203.0.113.5,"}) == "10.0.0.1");
  CHECK(address_of("10.0.0.1", {"X-Forwarded-For: ,203.0.113.5"}) == "203.0.113.5");
  CHECK(address_of("10.0.0.1", {"X-Forwarded-For: " + std::string(2000, ',')}) == "10.0.0.1");
}

TEST_CASE("a trusted proxy says whether the client came by https") {
  CHECK(origin_of("10.0.0.1", {"X-Forwarded-Proto: https"}).https);
  CHECK(origin_of("10.0.0.1", {"X-Forwarded-Proto: HTTPS"}).https);
  CHECK_FALSE(origin_of("10.0.0.1", {"X-Forwarded-Proto: http"}, true).https);
  CHECK_FALSE(origin_of("10.0.0.1", {"X-Forwarded-Proto: httpsx"}).https);
  CHECK(origin_of("10.0.0.1", {}, true).https);
  CHECK_FALSE(origin_of("10.0.0.1", {}).https);
}

}  // namespace
}  // namespace ringwall::session
