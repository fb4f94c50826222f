#include <ringwall/quota/address_key.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace ringwall::quota {
namespace {

constexpr unsigned ipv4_prefix_bits = 96;  // of ::ffff:0:0/96
constexpr std::size_t hashed_bytes = 17;   // the address and the prefix's length

struct State {
  std::uint64_t v0, v1, v2, v3;

  void round() {
    v0 += v1, v2 += v3;
    v1 = std::rotl(v1, 13) ^ v0, v3 = std::rotl(v3, 16) ^ v2;
    v0 = std::rotl(v0, 32);
    v2 += v1, v0 += v3;
    v1 = std::rotl(v1, 17) ^ v2, v3 = std::rotl(v3, 21) ^ v0;
    v2 = std::rotl(v2, 32);
  }
  void absorb(std::uint64_t word) {
    v3 ^= word;
    round();
    v0 ^= word;
  }
};

template <typename Byte>
std::uint64_t load(const Byte* from) {
  static_assert(std::endian::native == std::endian::little);
  std::uint64_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

// The first `bits` bits of eight bytes in network order, at most 64.
std::uint64_t first_bits(std::uint64_t word, unsigned bits) {
  return bits == 0 ? 0 : word & std::byteswap(~std::uint64_t{0} << (64 - bits));
}

}  // namespace

bool is_ipv4_mapped(const AddressBytes& address) {
  constexpr AddressBytes mapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  return std::equal(address.begin(), address.begin() + ipv4_prefix_bits / 8, mapped.begin());
}

KeyMaker::KeyMaker(const Seed& seed, const Layout& layout)
    : seed_low_(load(seed.data())), seed_high_(load(seed.data() + 8)), layout_(layout) {}

std::uint64_t KeyMaker::hash(const AddressBytes& address, unsigned prefix_bits) const {
  State state{.v0 = seed_low_ ^ 0x736f'6d65'7073'6575,
              .v1 = seed_high_ ^ 0x646f'7261'6e64'6f6d,
              .v2 = seed_low_ ^ 0x6c79'6765'6e65'7261,
              .v3 = seed_high_ ^ 0x7465'6462'7974'6573};
  state.absorb(first_bits(load(address.data()), std::min(prefix_bits, 64U)));
  state.absorb(first_bits(load(address.data() + 8), std::max(prefix_bits, 64U) - 64));
  state.absorb(std::uint64_t{hashed_bytes} << 56 | prefix_bits);
  state.v2 ^= 0xFF;
  for (int i = 0; i < 3; ++i) state.round();
  return state.v0 ^ state.v1 ^ state.v2 ^ state.v3;
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
