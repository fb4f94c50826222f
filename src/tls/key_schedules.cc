#include <ringwall/check.h>
#include <ringwall/tls/key_schedules.h>

#include <utility>

#include "aead.h"

namespace ringwall::tls {
namespace {

std::unique_ptr<Aead> make_best() {
  auto aead = make_ipsec_mb();
  return aead ? std::move(aead) : make_wolfcrypt();
}

}  // namespace

std::string_view aes_gcm_implementation() {
  const std::string_view missing = ipsec_mb_missing();
  return missing.empty() ? "ipsec-mb" : missing;
}

KeySchedules::KeySchedules() : KeySchedules(make_best(), make_best()) {}

KeySchedules::KeySchedules(std::unique_ptr<Aead> opening, std::unique_ptr<Aead> sealing)
    : opening_{std::move(opening)}, sealing_{std::move(sealing)} {}

KeySchedules::~KeySchedules() = default;

const Aead& KeySchedules::opening(const void* owner, const Key& key, Cipher cipher) {
  return opening_.ready(owner, key, cipher);
}

const Aead& KeySchedules::sealing(const void* owner, const Key& key, Cipher cipher) {
  return sealing_.ready(owner, key, cipher);
}

void KeySchedules::forget_opening(const void* owner) { opening_.forget(owner); }
void KeySchedules::forget_sealing(const void* owner) { sealing_.forget(owner); }

const Aead& KeySchedules::Slot::ready(const void* wanted, const Key& key, Cipher cipher) {
  RINGWALL_CHECK(wanted);
  if (owner != wanted) {
    aead->expand(cipher, std::span(key.key).first(key_bytes(cipher)));
    owner = wanted;
  }
  return *aead;
}

void KeySchedules::Slot::forget(const void* wanted) {
  if (owner != wanted) return;
  aead->forget();
  owner = nullptr;
}

}  // namespace ringwall::tls
