#include <ringwall/quota/address_key.h>

#include "unit/catch.h"
#include "unit/quota/fixture.h"

#include <cstddef>
#include <set>

namespace ringwall::quota {
namespace {

Seed counting_seed() {
  Seed seed;
  for (std::size_t i = 0; i < seed.size(); ++i) seed[i] = static_cast<std::byte>(i);
  return seed;
}

// The values are of a SipHash-1-3 in Python that agrees with CPython's own hash of bytes.
TEST_CASE("a key is SipHash-1-3 of the prefix and its length") {
  const KeyMaker keys(counting_seed(), Layout{.ipv4_network_bits = 24});
  const AddressBytes address = {0x20, 0x01, 0x0D, 0xB8, 0, 1, 0, 2, 3, 4, 5, 6, 7, 8, 9, 10};
  CHECK(keys.keys_of(address).address == 0xA360'2780'68EE'356C);
  CHECK(keys.keys_of(address).network == 0xE786'87A7'812F'098C);
  CHECK(keys.keys_of(ipv4(1)).address == 0x6978'0515'496D'8030);
  CHECK(keys.keys_of(ipv4(1)).network == 0x4147'7612'78D4'3BE9);
}

TEST_CASE("IPv4 addresses have each their own key and no network; those of an IPv6 /64 share one, of a /48 the other") {
  const KeyMaker keys(counting_seed(), Layout{});
  CHECK(keys.keys_of(ipv4(1)).address != keys.keys_of(ipv4(2)).address);
  CHECK(!keys.keys_of(ipv4(1)).network);

  const AddressKeys first = keys.keys_of(ipv6(1, 1, 1));
  const AddressKeys neighbour = keys.keys_of(ipv6(1, 1, 2));
  const AddressKeys subnet = keys.keys_of(ipv6(1, 2, 1));
  const AddressKeys site = keys.keys_of(ipv6(2, 1, 1));
  CHECK(first.address == neighbour.address);
  CHECK(first.address != subnet.address);
  CHECK(first.network == subnet.network);
  CHECK(first.network != site.network);
}

TEST_CASE("each bit of a prefix counts and none after it, for prefixes of all lengths") {
  for (std::uint8_t bits = 2; bits <= 128; ++bits) {
    const KeyMaker keys(counting_seed(), Layout{.ipv6_address_bits = bits, .ipv6_network_bits = 1});
    const AddressBytes address = ipv6(1, 1);
    const std::uint64_t key = keys.keys_of(address).address;
    for (unsigned bit = 0; bit < 128; ++bit) {
      AddressBytes other = address;
      other[bit / 8] ^= static_cast<std::uint8_t>(0x80U >> bit % 8);
      REQUIRE((keys.keys_of(other).address == key) == (bit >= bits));
    }
  }
}

TEST_CASE("another seed makes other keys and other buckets") {
  Seed other = counting_seed();
  other[15] = std::byte{0xFF};
  const KeyMaker keys(counting_seed(), Layout{}), others(other, Layout{});
  int same_bucket = 0;
  for (std::uint8_t i = 0; i < 100; ++i) {
    const std::uint64_t a = keys.keys_of(ipv4(i)).address, b = others.keys_of(ipv4(i)).address;
    CHECK(a != b);
    same_bucket += (a ^ b) % 4'096 == 0 ? 1 : 0;
  }
  CHECK(same_bucket <= 1);
}

TEST_CASE("neighbours are spread over buckets and tags") {
  const KeyMaker keys(counting_seed(), Layout{});
  std::set<std::uint64_t> buckets, tags;
  for (unsigned i = 0; i < 4'096; ++i) {
    const AddressBytes address = ipv4(static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8));
    const std::uint64_t key = keys.keys_of(address).address;
    buckets.insert(key % 4'096);
    tags.insert(key >> 34);
  }
  CHECK(buckets.size() > 2'400);  // 4,096 balls in 4,096 urns leave 1,507 empty
  CHECK(buckets.size() < 2'780);
  CHECK(tags.size() >= 4'095);
}

}  // namespace
}  // namespace ringwall::quota
