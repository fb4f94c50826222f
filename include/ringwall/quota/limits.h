// limits.h: what an operator may set of the limits: plain values, made once and then only read.
//
// Everywhere 0 means no limit. A unit is a unit of cost: a cheap call costs 1, a normal one 5, a heavy one 20. An
// "address" is what the first prefix leaves of one (IPv4 /32, IPv6 /64), a "network" what the second does (IPv6 /48,
// IPv4 none).
//
// The defaults let five tabs of Polkadot.js Apps start at once behind one address (some hundreds of calls, of which a
// tenth heavy: about 3,500 units), and hold one address to a few hundred normal calls a second.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include <ringwall/error.h>
#include <ringwall/limits.h>

namespace ringwall::quota {

// IPv6 in network order, IPv4 mapped (RFC 4291 section 2.5.5.2).
using AddressBytes = std::array<std::uint8_t, 16>;

struct AddressRange {
  AddressBytes address{};
  std::uint8_t prefix_bits = 128;

  [[nodiscard]] bool contains(const AddressBytes& other) const;
};

// A rate, and what may come at once after a silence.
struct Rate {
  std::uint64_t per_second = 0;
  std::uint64_t burst = 0;
};

// What holds for one address, or for one network.
struct PeerLimits {
  Rate units{};
  Rate new_connections{};
  std::uint32_t connections_max = 0;
  std::uint32_t subscriptions_max = 0;  // Live, or asked for and not answered yet.
};

struct ConnectionLimits {
  Rate units{};
  std::uint32_t subscriptions_max = 0;
  std::uint32_t calls_in_flight_max = 0;
  std::uint32_t batch_calls_max = 0;
  std::uint32_t close_after = 0;  // Refused requests after which the connection is to be closed.
};

struct Limits {
  PeerLimits address{
      .units = {1'000, 10'000},
      .new_connections = {20, 100},
      .connections_max = 50,
      .subscriptions_max = 4'096,
  };
  PeerLimits network{
      .units = {4'000, 40'000},
      .new_connections = {100, 500},
      .connections_max = 500,
      .subscriptions_max = 16'384,
  };
  ConnectionLimits connection{
      .units = {500, 5'000},
      .subscriptions_max = 1'024,
      .calls_in_flight_max = 512,
      .batch_calls_max = 100,
      .close_after = 1'000,
  };
  Rate machine_units{50'000, 100'000};
  std::vector<AddressRange> exempt{};  // Counted, never refused, and no charge to anyone; judged when a client comes.
};

// The same with every limit out of reach; all is still counted.
[[nodiscard]] Limits lifted(const Limits& limits);

// Errors: a rate without a burst or a burst without a rate, a number past its bound in limits.h; the field is named as
// in this header ("address.units.burst").
[[nodiscard]] Result<void> check(const Limits& limits);

// What needs a restart to be changed.
struct Layout {
  std::uint8_t ipv4_address_bits = 32;
  std::uint8_t ipv6_address_bits = 64;
  std::uint8_t ipv4_network_bits = 0;  // 0: no second limit.
  std::uint8_t ipv6_network_bits = 48;
  std::uint32_t address_entries = 1U << 16;  // Powers of two; 64 bytes each.
  std::uint32_t network_entries = 1U << 14;
};

// Errors: a prefix out of its range or a network's longer than an address's, entries that are no power of two or out of
// bounds.
[[nodiscard]] Result<void> check(const Layout& layout);

}  // namespace ringwall::quota
