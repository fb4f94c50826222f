#include <ringwall/config/address.h>
#include <ringwall/session/address_set.h>

#include <random>
#include <vector>

#include "unit/catch.h"

using namespace ringwall;
using namespace ringwall::session;

namespace {

AddressSet set_of(const std::vector<std::string_view>& texts) {
  std::vector<config::Cidr> ranges;
  for (const std::string_view text : texts) ranges.push_back(*config::parse_cidr(text));
  return AddressSet(ranges);
}

bool has(const AddressSet& set, std::string_view address) { return set.contains(*parse_address(address)); }

}  // namespace

TEST_CASE("an empty set has nobody, and the widest range everybody") {
  CHECK_FALSE(has(AddressSet(), "192.0.2.1"));
  CHECK(AddressSet().empty());
  CHECK(has(set_of({"::/0"}), "192.0.2.1"));
  CHECK(has(set_of({"::/0"}), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
}

TEST_CASE("a range has its first and its last address and not those beside them") {
  const AddressSet set = set_of({"198.51.100.0/24", "2001:db8::/48"});
  CHECK(has(set, "198.51.100.0"));
  CHECK(has(set, "198.51.100.255"));
  CHECK_FALSE(has(set, "198.51.99.255"));
  CHECK_FALSE(has(set, "198.51.101.0"));
  CHECK(has(set, "2001:db8:0:ffff:ffff:ffff:ffff:ffff"));
  CHECK_FALSE(has(set, "2001:db8:1::"));
}

TEST_CASE("a small range within a large one takes nothing from it") {
  const AddressSet set = set_of({"10.0.0.5", "10.0.0.0/8", "10.0.1.0/24", "10.0.0.0/8"});
  CHECK(has(set, "10.0.0.6"));
  CHECK(has(set, "10.255.255.255"));
  CHECK_FALSE(has(set, "11.0.0.0"));
}

TEST_CASE("a set finds what a comparison with each of its ranges finds") {
  std::mt19937 random(7);  // NOLINT(cert-msc32-c,cert-msc51-cpp): the same ranges each time
  // Of few bits that differ, so that ranges meet, overlap and lie beside each other.
  const auto address = [&] {
    AddressBytes bytes{};
    bytes[0] = 0x20;
    bytes[1] = static_cast<std::uint8_t>(random() % 4);
    bytes[15] = static_cast<std::uint8_t>(random());
    return bytes;
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<config::Cidr> ranges(random() % 40);
    for (config::Cidr& range : ranges) {
      range = {address(), static_cast<std::uint8_t>(random() % 4 == 0 ? 8 + random() % 9 : 120 + random() % 9)};
      for (unsigned bit = range.prefix_bits; bit < 128; ++bit) {
        range.address[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> bit % 8));
      }
    }
    const AddressSet set(ranges);
    for (int probe = 0; probe < 200; ++probe) {
      const AddressBytes one = address();
      CHECK(set.contains(one) == is_in(one, ranges));
    }
  }
}
