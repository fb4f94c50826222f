// kernel_key.h: the key of one direction as the kernel takes it: the argument of setsockopt(SOL_TLS, TLS_TX or TLS_RX).
//
// A secret: it wipes itself when it goes, and does not copy. Owner: whoever hands it to ring::Backend::set_tls_key,
// which is done with it when it returns. Source: linux/tls.h; for the nonces RFC 8446 section 5.3, RFC 5288 section 3.
#pragma once

#include <ringwall/tls/keys.h>

#include <linux/tls.h>

#include <array>
#include <cstddef>
#include <span>

namespace ringwall::tls {

class KernelKey {
 public:
  // `key` is one of the two of a connection of this version and cipher.
  KernelKey(const Key& key, Version version, Cipher cipher);
  KernelKey(const KernelKey&) = delete;
  KernelKey& operator=(const KernelKey&) = delete;
  ~KernelKey() { wipe(bytes_); }

  // A tls12_crypto_info_…, for either version: the kernel's name tells only where it began.
  [[nodiscard]] std::span<const std::byte> crypto_info() const { return std::span(bytes_).first(size_); }

 private:
  template <typename Info>
  void fill(const Key& key, Version version, unsigned short cipher_type);

  alignas(tls12_crypto_info_aes_gcm_256) std::array<std::byte, sizeof(tls12_crypto_info_aes_gcm_256)> bytes_{};
  std::size_t size_ = 0;
};

}  // namespace ringwall::tls
