#include <ringwall/config/address.h>

#include "unit/catch.h"

using namespace ringwall::config;

namespace {

std::array<std::uint8_t, 16> address(const std::string& text) { return parse_cidr(text).value().address; }

}  // namespace

TEST_CASE("a listener is bound to an address and a port") {
  CHECK(parse_bind_address("0.0.0.0:443") == Endpoint{"0.0.0.0", 443});
  CHECK(parse_bind_address("127.0.0.1:1") == Endpoint{"127.0.0.1", 1});
  CHECK(parse_bind_address("[::1]:65535") == Endpoint{"::1", 65535});
  CHECK(parse_bind_address("[2001:DB8:0:0::1]:443") == Endpoint{"2001:db8::1", 443});
  CHECK(parse_bind_address("*:443") == Endpoint{"", 443});
}

TEST_CASE("a listener's address without its parts, or with a name, is refused") {
  for (const char* text : {"",
                           ":",
                           ":443",
                           "0.0.0.0",
                           "0.0.0.0:",
                           "0.0.0.0:0",
                           "0.0.0.0:65536",
                           "0.0.0.0:443 ",
                           "0.0.0.0:+443",
                           "256.0.0.1:443",
                           "0.0.0:443",
                           "::1:443",
                           "[::1]",
                           "[::1]443",
                           "[127.0.0.1]:443",
                           "[*]:443",
                           "*",
                           "**:443",
                           "localhost:443",
                           "[::1%lo]:443",
                           "0.0.0.0:443:443",
                           "[[::1]]:443",
                           "[]:443"}) {
    INFO(text);
    CHECK_FALSE(parse_bind_address(text));
  }
  CHECK_FALSE(parse_bind_address(std::string_view("127.0.0.1\0:443", 14)));
}

TEST_CASE("a node is named by address or by DNS name") {
  CHECK(parse_peer_address("127.0.0.1:9944") == Endpoint{"127.0.0.1", 9944});
  CHECK(parse_peer_address("[::1]:9944") == Endpoint{"::1", 9944});
  CHECK(parse_peer_address("localhost:9944") == Endpoint{"localhost", 9944});
  CHECK(parse_peer_address("Node-0.Chain_A.svc.cluster.local.:9944") ==
        Endpoint{"node-0.chain_a.svc.cluster.local", 9944});
}

TEST_CASE("what is neither an address nor a name is no node") {
  for (const char* text : {"", "9944", "localhost", "*:9944", "256.0.0.1:9944", "1.2.3:9944", "-a:9944", "a-:9944",
                           "a..b:9944", ".a:9944", "a b:9944", "http://a:9944", "a:b:9944", "node:0", "n\xc3\xb6:1"}) {
    INFO(text);
    CHECK_FALSE(parse_peer_address(text));
  }
}

TEST_CASE("a label has at most 63 bytes, a name 253") {
  const std::string label(63, 'a');
  CHECK(parse_dns_name(label));
  CHECK_FALSE(parse_dns_name(label + "a"));
  const std::string name = label + "." + label + "." + label + "." + std::string(61, 'a');
  REQUIRE(name.size() == 253);
  CHECK(parse_dns_name(name));
  CHECK(parse_dns_name(name + "."));
  CHECK_FALSE(parse_dns_name(name + "a"));
}

TEST_CASE("a wildcard stands in front of a whole name") {
  CHECK(parse_dns_pattern("*.Example.com") == "*.example.com");
  CHECK(parse_dns_pattern("rpc.example.com") == "rpc.example.com");
  for (const char* text : {"*", "*.", "*example.com", "a.*.com", "*.*.com", "127.0.0.1", "*.1"}) {
    INFO(text);
    CHECK_FALSE(parse_dns_pattern(text));
  }
}

TEST_CASE("a range holds its addresses and no others") {
  const Cidr ten = parse_cidr("10.0.0.0/8").value();
  CHECK(ten.contains(address("10.255.255.255")));
  CHECK_FALSE(ten.contains(address("11.0.0.0")));
  CHECK_FALSE(ten.contains(address("::1")));
  const Cidr odd = parse_cidr("192.168.4.0/23").value();
  CHECK(odd.contains(address("192.168.5.255")));
  CHECK_FALSE(odd.contains(address("192.168.6.0")));
  const Cidr unique_local = parse_cidr("fd00::/8").value();
  CHECK(unique_local.contains(address("fdff::1")));
  CHECK_FALSE(unique_local.contains(address("fc00::1")));
  CHECK(parse_cidr("::/0").value().contains(address("10.0.0.1")));
  CHECK(parse_cidr("0.0.0.0/0").value().contains(address("203.0.113.9")));
  CHECK_FALSE(parse_cidr("0.0.0.0/0").value().contains(address("2001:db8::1")));
  CHECK(parse_cidr("203.0.113.9").value().contains(address("203.0.113.9")));
}

TEST_CASE("a range with a wrong prefix or set bits after it is refused") {
  for (const char* text : {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x", "10.0.0.1/8", "10/8",
                           "fd00::/129", "fd00::1/8", "example.com/8", "[::1]/128", "10.0.0.0/8/8"}) {
    INFO(text);
    CHECK_FALSE(parse_cidr(text));
  }
}

TEST_CASE("addresses and ranges are written so that they read back") {
  for (const char* text : {"0.0.0.0:443", "[::1]:443", "*:80"}) {
    CHECK(to_text(parse_bind_address(text).value()) == text);
  }
  for (const char* text : {"10.0.0.0/8", "0.0.0.0/0", "203.0.113.9/32", "fd00::/8", "::/0", "::1/128"}) {
    CHECK(to_text(parse_cidr(text).value()) == text);
  }
}
