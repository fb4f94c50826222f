#include <ringwall/check.h>

#include <cstring>

#include "aead.h"
#include "library.h"

#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/chacha20_poly1305.h>

namespace ringwall::tls {
namespace {

const byte* in(Bytes bytes) { return reinterpret_cast<const byte*>(bytes.data()); }
byte* out(std::byte* to) { return reinterpret_cast<byte*>(to); }
word32 count(std::size_t bytes) { return static_cast<word32>(bytes); }

class WolfCrypt final : public Aead {
 public:
  WolfCrypt() { RINGWALL_CHECK(start_library()); }
  ~WolfCrypt() override { WolfCrypt::forget(); }

  void expand(Cipher cipher, Bytes key) override {
    RINGWALL_CHECK(key.size() == key_bytes(cipher));
    forget();
    cipher_ = cipher;
    if (cipher == Cipher::chacha20_poly1305) {
      std::memcpy(chacha_, key.data(), sizeof chacha_);
    } else {
      RINGWALL_CHECK(wc_AesInit(&aes_, nullptr, INVALID_DEVID) == 0);
      RINGWALL_CHECK(wc_AesGcmSetKey(&aes_, in(key), count(key.size())) == 0);
    }
    expanded_ = true;
  }

  void forget() override {
    if (expanded_ && cipher_ != Cipher::chacha20_poly1305) wc_AesFree(&aes_);
    wipe(std::as_writable_bytes(std::span(&aes_, 1)));
    wipe(std::as_writable_bytes(std::span(chacha_)));
    expanded_ = false;
  }

  // wolfCrypt takes one text: it is put together where it goes, and encrypted there.
  void seal(Nonce nonce, Bytes aad, std::span<const Bytes> pieces, Bytes last, std::size_t text_bytes,
            std::byte* to) const override {
    RINGWALL_CHECK(expanded_);
    gather(pieces, last, to);
    byte* const text = out(to);
    byte* const tag = text + text_bytes;
    const int result = cipher_ == Cipher::chacha20_poly1305
                           ? wc_ChaCha20Poly1305_Encrypt(chacha_, in(nonce), in(aad), count(aad.size()), text,
                                                         count(text_bytes), text, tag)
                           : wc_AesGcmEncrypt(&aes_, text, text, count(text_bytes), in(nonce), nonce_bytes, tag,
                                              tag_bytes, in(aad), count(aad.size()));
    RINGWALL_CHECK(result == 0);
  }

  bool open(Nonce nonce, Bytes aad, std::span<std::byte> text,
            std::span<const std::byte, tag_bytes> tag) const override {
    RINGWALL_CHECK(expanded_);
    byte* const at = out(text.data());
    const int result = cipher_ == Cipher::chacha20_poly1305
                           ? wc_ChaCha20Poly1305_Decrypt(chacha_, in(nonce), in(aad), count(aad.size()), at,
                                                         count(text.size()), in(tag), at)
                           : wc_AesGcmDecrypt(&aes_, at, at, count(text.size()), in(nonce), nonce_bytes, in(tag),
                                              tag_bytes, in(aad), count(aad.size()));
    if (result != 0) wipe(text);
    return result == 0;
  }

 private:
  bool expanded_ = false;
  Cipher cipher_ = Cipher::aes_128_gcm;
  mutable Aes aes_{};  // its calls take it as not const
  byte chacha_[CHACHA20_POLY1305_AEAD_KEYSIZE] = {};
};

}  // namespace

std::unique_ptr<Aead> make_wolfcrypt() { return std::make_unique<WolfCrypt>(); }

std::size_t wolfcrypt_bytes_max() { return sizeof(WolfCrypt); }

}  // namespace ringwall::tls
