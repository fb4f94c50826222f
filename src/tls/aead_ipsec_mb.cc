#include <intel-ipsec-mb.h>
#include <ringwall/check.h>

#include <array>
#include <optional>

#include "aead.h"

namespace ringwall::tls {
namespace {

// The direct calls of one key size. They keep no state but what they are handed (and an error number of the library's,
// which nobody reads), so one table serves all threads.
struct Calls {
  aes_gcm_pre_t expand = nullptr;
  aes_gcm_enc_dec_t encrypt = nullptr, decrypt = nullptr;
  aes_gcm_init_t begin = nullptr;
  aes_gcm_enc_dec_update_t encrypt_piece = nullptr;
  aes_gcm_enc_dec_finalize_t end = nullptr;
};

struct Library {
  Calls gcm128, gcm256;
  std::string_view missing;  // why it is not used; empty when it is
};

Library start() {
  Library library;
  IMB_MGR* const manager = alloc_mb_mgr(0);
  if (!manager) {
    library.missing = "wolfCrypt (ipsec-mb has no memory)";
    return library;
  }
  init_mb_mgr_auto(manager, nullptr);
  const bool self_test_failed =
      (manager->features & IMB_FEATURE_SELF_TEST) != 0 && (manager->features & IMB_FEATURE_SELF_TEST_PASS) == 0;
  if (imb_get_errno(manager) != 0 || self_test_failed) {
    library.missing = "wolfCrypt (ipsec-mb did not start)";
  } else if ((manager->features & IMB_FEATURE_AESNI) == 0 || (manager->features & IMB_FEATURE_PCLMULQDQ) == 0) {
    library.missing = "wolfCrypt (a CPU without AES-NI)";
  }
  library.gcm128 = {manager->gcm128_pre,  manager->gcm128_enc,        manager->gcm128_dec,
                    manager->gcm128_init, manager->gcm128_enc_update, manager->gcm128_enc_finalize};
  library.gcm256 = {manager->gcm256_pre,  manager->gcm256_enc,        manager->gcm256_dec,
                    manager->gcm256_init, manager->gcm256_enc_update, manager->gcm256_enc_finalize};
  free_mb_mgr(manager);
  return library;
}

const Library& library() {
  static const Library started = start();
  return started;
}

// Up to here a copy of the text and one call are faster than a call for each piece (bench/micro/tls_bench.cc).
constexpr std::size_t gather_bytes_max = 1024;

const std::uint8_t* in(Bytes bytes) { return reinterpret_cast<const std::uint8_t*>(bytes.data()); }
std::uint8_t* out(std::byte* to) { return reinterpret_cast<std::uint8_t*>(to); }

// What a call leaves of its key stream on our stack goes.
struct Context {
  ~Context() { wipe(std::as_writable_bytes(std::span(&data, 1))); }
  alignas(16) gcm_context_data data;
};

class IpsecMb final : public Aead {
 public:
  ~IpsecMb() override { IpsecMb::forget(); }

  void expand(Cipher cipher, Bytes key) override {
    RINGWALL_CHECK(key.size() == key_bytes(cipher));
    const Calls* const calls = cipher == Cipher::aes_128_gcm ? &library().gcm128 : &library().gcm256;
    // A key of the same size overwrites all of the one before it.
    if (calls_ != calls || cipher == Cipher::chacha20_poly1305) forget();
    if (cipher == Cipher::chacha20_poly1305) {
      if (!chacha_) chacha_ = make_wolfcrypt();
      chacha_->expand(cipher, key);
      use_chacha_ = true;
      return;
    }
    calls_ = calls;
    calls_->expand(key.data(), &key_);
  }

  void forget() override {
    if (use_chacha_) chacha_->forget();
    if (calls_) wipe(std::as_writable_bytes(std::span(&key_, 1)));
    use_chacha_ = false;
    calls_ = nullptr;
  }

  void seal(Nonce nonce, Bytes aad, std::span<const Bytes> pieces, Bytes last, std::size_t text_bytes,
            std::byte* to) const override {
    if (use_chacha_) return chacha_->seal(nonce, aad, pieces, last, text_bytes, to);
    RINGWALL_CHECK(calls_);
    Context context;
    std::uint8_t* const text = out(to);
    const bool one_piece = pieces.size() == 1 && last.empty();
    if (one_piece || text_bytes <= gather_bytes_max) {
      if (!one_piece) gather(pieces, last, to);
      calls_->encrypt(&key_, &context.data, text, one_piece ? in(pieces[0]) : text, text_bytes, in(nonce), in(aad),
                      aad.size(), text + text_bytes, tag_bytes);
      return;
    }
    calls_->begin(&key_, &context.data, in(nonce), in(aad), aad.size());
    std::uint8_t* at = text;
    for (const Bytes piece : pieces) {
      if (piece.empty()) continue;
      calls_->encrypt_piece(&key_, &context.data, at, in(piece), piece.size());
      at += piece.size();
    }
    if (!last.empty()) calls_->encrypt_piece(&key_, &context.data, at, in(last), last.size());
    calls_->end(&key_, &context.data, text + text_bytes, tag_bytes);
  }

  bool open(Nonce nonce, Bytes aad, std::span<std::byte> text,
            std::span<const std::byte, tag_bytes> tag) const override {
    if (use_chacha_) return chacha_->open(nonce, aad, text, tag);
    RINGWALL_CHECK(calls_);
    Context context;
    std::array<std::byte, tag_bytes> computed;
    calls_->decrypt(&key_, &context.data, out(text.data()), in(text), text.size(), in(nonce), in(aad), aad.size(),
                    out(computed.data()), tag_bytes);
    // All of it, so that the time tells nothing.
    std::byte difference{0};
    for (std::size_t i = 0; i < tag_bytes; ++i) difference |= computed[i] ^ tag[i];
    const bool same = difference == std::byte{0};
    if (!same) wipe(text);
    wipe(computed);
    return same;
  }

 private:
  // The header aligns it only where a macro of its own is set, the code counts on it always.
  alignas(64) gcm_key_data key_{};
  const Calls* calls_ = nullptr;  // set: key_ is expanded, for these
  bool use_chacha_ = false;
  std::unique_ptr<Aead> chacha_;
};

}  // namespace

std::unique_ptr<Aead> make_ipsec_mb() {
  if (!library().missing.empty()) return nullptr;
  return std::make_unique<IpsecMb>();
}

std::size_t ipsec_mb_bytes_max() { return sizeof(IpsecMb) + wolfcrypt_bytes_max(); }

std::string_view ipsec_mb_missing() { return library().missing; }

}  // namespace ringwall::tls
