// address_key.h: an address becomes the key that its limits are held under.
//
// A key is SipHash-1-3 of what a prefix leaves of the address, with a seed of this process: nobody who does not know
// the seed can find two addresses that share a key or a bucket. Values only; any thread.
// Source: RFC 4291 section 2.5.5.2 (IPv4 mapped).
#pragma once

#include <cstdint>
#include <optional>

#include <ringwall/keyed_hash.h>
#include <ringwall/quota/limits.h>

namespace ringwall::quota {

using Seed = HashSeed;

struct AddressKeys {
  std::uint64_t address;
  std::optional<std::uint64_t> network;  // Without a value: there is no second limit for this family.
};

class KeyMaker {
 public:
  KeyMaker(const Seed& seed, const Layout& layout);

  [[nodiscard]] AddressKeys keys_of(const AddressBytes& address) const;

 private:
  [[nodiscard]] std::uint64_t hash(const AddressBytes& address, unsigned prefix_bits) const;

  Seed seed_;
  Layout layout_;
};

[[nodiscard]] bool is_ipv4_mapped(const AddressBytes& address);

}  // namespace ringwall::quota
