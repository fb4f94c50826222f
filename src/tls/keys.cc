#include <ringwall/check.h>
#include <ringwall/tls/keys.h>

#include <string_view>

#include "library.h"

#include <wolfssl/wolfcrypt/kdf.h>

namespace ringwall::tls {
namespace {

// HKDF-Expand-Label with an empty context (RFC 8446 section 7.1).
void expand_label(std::span<std::byte> to, std::span<const std::byte> secret, std::string_view label, Hash hash) {
  constexpr std::string_view protocol = "tls13 ";
  const auto text = [](std::string_view bytes) { return reinterpret_cast<const byte*>(bytes.data()); };
  const int digest = hash == Hash::sha256 ? int{WC_SHA256} : int{WC_SHA384};
  const int result = wc_Tls13_HKDF_Expand_Label(
      reinterpret_cast<byte*>(to.data()), static_cast<word32>(to.size()), reinterpret_cast<const byte*>(secret.data()),
      static_cast<word32>(secret.size()), text(protocol), static_cast<word32>(protocol.size()), text(label),
      static_cast<word32>(label.size()), nullptr, 0, digest);
  RINGWALL_CHECK(result == 0);
}

}  // namespace

std::string_view name(Version version) { return version == Version::tls13 ? "1.3" : "1.2"; }

std::string_view name(Cipher cipher) {
  switch (cipher) {
    case Cipher::aes_128_gcm:
      return "aes_128_gcm";
    case Cipher::aes_256_gcm:
      return "aes_256_gcm";
    case Cipher::chacha20_poly1305:
      return "chacha20_poly1305";
  }
  RINGWALL_CHECK(false);
}

void advance(Key& key, Cipher cipher, Hash hash) {
  const Key old = key;
  const auto secret = std::span(key.secret).first(secret_bytes(hash));
  expand_label(secret, std::span(old.secret).first(secret_bytes(hash)), "traffic upd", hash);
  expand_label(std::span(key.key).first(key_bytes(cipher)), secret, "key", hash);
  expand_label(key.iv, secret, "iv", hash);
  key.sequence = 0;
}

}  // namespace ringwall::tls
