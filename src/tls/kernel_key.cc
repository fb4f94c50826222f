#include <ringwall/tls/kernel_key.h>

#include <ringwall/check.h>

#include <cstring>

#include "big_endian.h"

namespace ringwall::tls {

// The 12 bytes of an iv are the kernel's salt and its iv, in this order, wherever a suite puts the border: AES-GCM
// after four, ChaCha20-Poly1305 before the first. In TLS 1.2's AES-GCM the iv is the explicit nonce, which the kernel
// counts up beside the sequence number.
template <typename Info>
void KernelKey::fill(const Key& key, Version version, unsigned short cipher_type) {
  static_assert(sizeof(Info) <= sizeof bytes_);
  Info info{};
  static_assert(sizeof info.salt + sizeof info.iv == sizeof key.iv);
  info.info.version = version == Version::tls13 ? TLS_1_3_VERSION : TLS_1_2_VERSION;
  info.info.cipher_type = cipher_type;
  std::memcpy(info.key, key.key.data(), sizeof info.key);
  constexpr std::size_t salt_bytes = sizeof info.salt;
  if constexpr (salt_bytes > 0) std::memcpy(info.salt, key.iv.data(), salt_bytes);
  std::memcpy(info.iv, key.iv.data() + sizeof info.salt, sizeof info.iv);
  write_big_endian(std::as_writable_bytes(std::span(info.rec_seq)), key.sequence);
  size_ = sizeof info;
  std::memcpy(bytes_.data(), &info, sizeof info);
  wipe(std::as_writable_bytes(std::span(&info, 1)));
}

KernelKey::KernelKey(const Key& key, Version version, Cipher cipher) {
  switch (cipher) {
    case Cipher::aes_128_gcm:
      fill<tls12_crypto_info_aes_gcm_128>(key, version, TLS_CIPHER_AES_GCM_128);
      break;
    case Cipher::aes_256_gcm:
      fill<tls12_crypto_info_aes_gcm_256>(key, version, TLS_CIPHER_AES_GCM_256);
      break;
    case Cipher::chacha20_poly1305:
      fill<tls12_crypto_info_chacha20_poly1305>(key, version, TLS_CIPHER_CHACHA20_POLY1305);
      break;
  }
  RINGWALL_CHECK(size_ > 0);
}

}  // namespace ringwall::tls
