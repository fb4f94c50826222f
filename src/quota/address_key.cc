#include <ringwall/quota/address_key.h>

#include <algorithm>
#include <bit>

namespace ringwall::quota {
namespace {

constexpr unsigned ipv4_prefix_bits = 96;  // of ::ffff:0:0/96
constexpr std::size_t hashed_bytes = 17;   // the address and the prefix's length

// The first `bits` bits of eight bytes in network order, at most 64.
std::uint64_t first_bits(std::uint64_t word, unsigned bits) {
  return bits == 0 ? 0 : word & std::byteswap(~std::uint64_t{0} << (64 - bits));
}

}  // namespace

bool is_ipv4_mapped(const AddressBytes& address) {
  constexpr AddressBytes mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  return std::equal(address.begin(), address.begin() + ipv4_prefix_bits / 8, mapped.begin());
}

KeyMaker::KeyMaker(const Seed& seed, const Layout& layout) : seed_(seed), layout_(layout) {}

std::uint64_t KeyMaker::hash(const AddressBytes& address, unsigned prefix_bits) const {
  SipHash hash(seed_);
  hash.absorb(first_bits(SipHash::load(address.data(), 8), std::min(prefix_bits, 64U)));
  hash.absorb(first_bits(SipHash::load(address.data() + 8, 8), std::max(prefix_bits, 64U) - 64));
  return hash.finish(prefix_bits, hashed_bytes);
}

AddressKeys KeyMaker::keys_of(const AddressBytes& address) const {
  const bool ipv4 = is_ipv4_mapped(address);
  const unsigned before = ipv4 ? ipv4_prefix_bits : 0;
  const unsigned address_bits = ipv4 ? layout_.ipv4_address_bits : layout_.ipv6_address_bits;
  const unsigned network_bits = ipv4 ? layout_.ipv4_network_bits : layout_.ipv6_network_bits;
  AddressKeys keys{.address = hash(address, before + address_bits), .network = {}};
  if (network_bits > 0) keys.network = hash(address, before + network_bits);
  return keys;
}

}  // namespace ringwall::quota
