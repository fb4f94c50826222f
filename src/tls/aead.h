// aead.h: one AEAD key, expanded, and what it seals and opens: by ipsec-mb or by wolfCrypt.
//
// Nonces are 12 bytes, tags 16, whatever the cipher. Thread: any one at a time; several objects at once are fine.
// Source: RFC 5116, NIST SP 800-38D, RFC 8439.
#pragma once

#include <ringwall/tls/keys.h>

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>

namespace ringwall::tls {

inline constexpr std::size_t nonce_bytes = 12;
inline constexpr std::size_t tag_bytes = 16;

using Bytes = std::span<const std::byte>;
using Nonce = std::span<const std::byte, nonce_bytes>;

class Aead {
 public:
  Aead() = default;
  virtual ~Aead() = default;  // wipes
  Aead(const Aead&) = delete;
  Aead& operator=(const Aead&) = delete;

  // `key` has key_bytes(cipher).
  virtual void expand(Cipher cipher, Bytes key) = 0;
  // Wipes. Until the next expand() nothing is sealed or opened.
  virtual void forget() = 0;

  // The text is `pieces` and then `last`, `text_bytes` in all. `out` takes that and the tag, and overlaps neither.
  virtual void seal(Nonce nonce, Bytes aad, std::span<const Bytes> pieces, Bytes last, std::size_t text_bytes,
                    std::byte* out) const = 0;
  // In place. False, and `text` wiped: the tag is wrong.
  [[nodiscard]] virtual bool open(Nonce nonce, Bytes aad, std::span<std::byte> text,
                                  std::span<const std::byte, tag_bytes> tag) const = 0;
};

[[nodiscard]] std::unique_ptr<Aead> make_wolfcrypt();

// ipsec-mb for AES-GCM, wolfCrypt for ChaCha20. Null: it is not in this build, or did not start (the reason is in
// ipsec_mb_missing()).
[[nodiscard]] std::unique_ptr<Aead> make_ipsec_mb();
[[nodiscard]] std::string_view ipsec_mb_missing();

// What one of each is at most, with what it allocates itself.
[[nodiscard]] std::size_t wolfcrypt_bytes_max();
[[nodiscard]] std::size_t ipsec_mb_bytes_max();

// Puts the text together in `to`.
void gather(std::span<const Bytes> pieces, Bytes last, std::byte* to);

}  // namespace ringwall::tls
