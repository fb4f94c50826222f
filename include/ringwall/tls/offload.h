// offload.h: which connections go on with the kernel's record layer after the handshake. Plain values.
#pragma once

#include <ringwall/tls/keys.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace ringwall::tls {

inline constexpr std::array<Version, 2> versions{Version::tls12, Version::tls13};
inline constexpr std::array<Cipher, 3> ciphers{Cipher::aes_128_gcm, Cipher::aes_256_gcm, Cipher::chacha20_poly1305};

// Made once, before there are shards; each has a copy.
struct OffloadSettings {
  // Of versions and ciphers: the kernel can both send and receive so, and is to.
  std::array<std::array<bool, ciphers.size()>, versions.size()> kernel{};
  bool kernel_updates_keys = false;                        // it takes a second key for a direction: Linux 6.14
  std::uint64_t records_per_key = std::uint64_t{1} << 24;  // sent; then the next key

  [[nodiscard]] bool uses_kernel() const {
    return std::ranges::any_of(kernel, [](const auto& row) { return std::ranges::find(row, true) != row.end(); });
  }
  [[nodiscard]] bool uses_kernel(Version version, Cipher cipher) const {
    return kernel[static_cast<std::size_t>(version)][static_cast<std::size_t>(cipher)];
  }
};

}  // namespace ringwall::tls
