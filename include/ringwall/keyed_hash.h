// keyed_hash.h: SipHash-1-3, the hash of what a peer chooses.
//
// Nobody who does not know the seed can find two texts that share a hash or a bucket. Values only; any thread.
// Source: Aumasson and Bernstein, "SipHash: a fast short-input PRF" (2012).
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace ringwall {

// Random bytes, new for each process.
using HashSeed = std::array<std::byte, 16>;

class SipHash {
 public:
  explicit SipHash(const HashSeed& seed) {
    const std::uint64_t low = load(seed.data(), 8), high = load(seed.data() + 8, 8);
    v0_ = low ^ 0x736f'6d65'7073'6575;
    v1_ = high ^ 0x646f'7261'6e64'6f6d;
    v2_ = low ^ 0x6c79'6765'6e65'7261;
    v3_ = high ^ 0x7465'6462'7974'6573;
  }

  // Eight bytes, the first one lowest.
  void absorb(std::uint64_t word) {
    v3_ ^= word;
    round();
    v0_ ^= word;
  }

  // `rest` is what is left, fewer than eight bytes; `bytes` the size of all.
  [[nodiscard]] std::uint64_t finish(std::uint64_t rest, std::size_t bytes) {
    absorb(std::uint64_t{bytes} << 56 | rest);
    v2_ ^= 0xFF;
    for (int i = 0; i < 3; ++i) round();
    return v0_ ^ v1_ ^ v2_ ^ v3_;
  }

  // At most eight bytes.
  static std::uint64_t load(const void* from, std::size_t bytes) {
    static_assert(std::endian::native == std::endian::little);
    std::uint64_t word = 0;
    if (bytes != 0) std::memcpy(&word, from, bytes);
    return word;
  }

 private:
  void round() {
    v0_ += v1_, v2_ += v3_;
    v1_ = std::rotl(v1_, 13) ^ v0_, v3_ = std::rotl(v3_, 16) ^ v2_;
    v0_ = std::rotl(v0_, 32);
    v2_ += v1_, v0_ += v3_;
    v1_ = std::rotl(v1_, 17) ^ v2_, v3_ = std::rotl(v3_, 21) ^ v0_;
    v2_ = std::rotl(v2_, 32);
  }

  std::uint64_t v0_, v1_, v2_, v3_;
};

[[nodiscard]] inline std::uint64_t keyed_hash(const HashSeed& seed, std::string_view text) {
  SipHash hash(seed);
  std::string_view rest = text;
  for (; rest.size() >= 8; rest.remove_prefix(8)) hash.absorb(SipHash::load(rest.data(), 8));
  return hash.finish(SipHash::load(rest.data(), rest.size()), text.size());
}

}  // namespace ringwall
