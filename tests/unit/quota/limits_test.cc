#include <ringwall/quota/limits.h>
#include <ringwall/quota/terms.h>

#include "unit/catch.h"

#include <limits>

namespace ringwall::quota {
namespace {

TEST_CASE("the limits and the layout that nobody changed are right, and so are those that are lifted") {
  CHECK(check(Limits{}));
  CHECK(check(Layout{}));
  CHECK(check(lifted(Limits{})));
}

TEST_CASE("a rate at its bound is right, one beyond it is refused by the field's name") {
  Limits limits;
  limits.network.units = {units_per_second_max, burst_units_max};
  CHECK(check(limits));
  limits.network.units.per_second += 1;
  REQUIRE(!check(limits));
  CHECK(check(limits).error().message == "network.units.per_second is 10000001; right is at most 10000000");
  limits.network.units = {1, burst_units_max + 1};
  CHECK(!check(limits));
}

TEST_CASE("a rate without a burst, or a burst without a rate, is refused; neither is no limit") {
  Limits limits;
  limits.address.new_connections = {5, 0};
  REQUIRE(!check(limits));
  CHECK(check(limits).error().message.starts_with("address.new_connections.burst is 0"));
  limits.address.new_connections = {0, 5};
  REQUIRE(!check(limits));
  CHECK(check(limits).error().message.starts_with("address.new_connections.per_second is 0"));
  limits.address.new_connections = {0, 0};
  CHECK(check(limits));
}

TEST_CASE("exempt ranges are bounded, and so are their prefixes") {
  Limits limits;
  limits.exempt.resize(exempt_ranges_max);
  CHECK(check(limits));
  limits.exempt.back().prefix_bits = 129;
  CHECK(!check(limits));
  limits.exempt.resize(exempt_ranges_max + 1);
  limits.exempt[exempt_ranges_max - 1].prefix_bits = 128;
  CHECK(!check(limits));
}

TEST_CASE("a network is wider than an address, and prefixes are within their families") {
  CHECK(check(Layout{.ipv4_network_bits = 31}));
  CHECK(!check(Layout{.ipv4_network_bits = 32}));
  CHECK(!check(Layout{.ipv4_address_bits = 33}));
  CHECK(!check(Layout{.ipv4_address_bits = 0}));
  CHECK(check(Layout{.ipv6_address_bits = 128, .ipv6_network_bits = 127}));
  CHECK(!check(Layout{.ipv6_address_bits = 129}));
  REQUIRE(!check(Layout{.ipv6_address_bits = 48}));
  CHECK(check(Layout{.ipv6_address_bits = 48}).error().message ==
        "ipv6_network_bits is 48; right is 0 (none), or less than ipv6_address_bits, which is 48");
}

TEST_CASE("tables have a power of two of entries, within bounds") {
  CHECK(check(Layout{.address_entries = table_entries_min}));
  CHECK(!check(Layout{.address_entries = table_entries_min / 2}));
  CHECK(!check(Layout{.address_entries = 3 * table_entries_min}));
  CHECK(check(Layout{.network_entries = table_entries_max}));
  CHECK(!check(Layout{.network_entries = 2 * table_entries_max}));
}

TEST_CASE("a range holds the addresses of its prefix, to the bit") {
  AddressRange range{.address = {0x20, 0x01, 0x0D, 0xB8, 0xA0}, .prefix_bits = 35};
  AddressBytes address = range.address;
  address[15] = 1;
  CHECK(range.contains(address));
  address[4] = 0xBF;
  CHECK(range.contains(address));
  address[4] = 0xC0;
  CHECK_FALSE(range.contains(address));
  range.prefix_bits = 0;
  CHECK(range.contains(address));
  range = {.address = address, .prefix_bits = 128};
  CHECK(range.contains(address));
  address[15] = 2;
  CHECK_FALSE(range.contains(address));
}

TEST_CASE("no limit is a number out of reach; exempt ranges survive the lifting") {
  Limits limits;
  limits.exempt.resize(2);
  const Terms terms = first_terms(lifted(limits), 0);
  constexpr auto most = std::numeric_limits<std::uint32_t>::max();
  for (const PeerTerms& peer : {terms.address, terms.network}) {
    CHECK(peer.units.per_second() == units_per_second_max);
    CHECK(peer.new_connections.burst() == burst_units_max);
    CHECK(peer.connections_max == most);
    CHECK(peer.subscriptions_max == most);
  }
  CHECK(terms.connection_units.burst() == burst_units_max);
  CHECK(terms.machine_units.burst() == burst_units_max);
  CHECK(terms.close_after == most);
  CHECK(terms.batch_calls_max == most);
  CHECK(terms.calls_in_flight_max == most);
  CHECK(terms.connection_subscriptions_max == most);
  CHECK(terms.exempt.size() == 2);
}

TEST_CASE("a shard's slice of the machine is a hundredth of a second's, an eighth of the burst, and at least a unit") {
  const auto slice = [](Rate rate) {
    Limits limits;
    limits.machine_units = rate;
    return first_terms(limits, 0).machine_slice_units;
  };
  CHECK(slice({50'000, 100'000}) == 500);
  CHECK(slice({50'000, 800}) == 100);
  CHECK(slice({10, 10}) == 1);
  CHECK(slice({}) == machine_slice_units_max);
}

}  // namespace
}  // namespace ringwall::quota
