#include <ringwall/check.h>
#include <ringwall/tls/key_schedules.h>

#include <algorithm>
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

// A power of two: which schedule a number has is asked for each record.
static_assert((KeySchedules::schedules_max & (KeySchedules::schedules_max - 1)) == 0);

std::size_t KeySchedules::bytes_held_max() {
  return schedules_max * (sizeof(Schedule) + std::max(wolfcrypt_bytes_max(), ipsec_mb_bytes_max()));
}

KeySchedules::KeySchedules() : KeySchedules(make_best) {}

KeySchedules::KeySchedules(Make make) : make_(make), schedules_(schedules_max) { RINGWALL_CHECK(make_); }

KeySchedules::~KeySchedules() = default;

const Aead& KeySchedules::ready(Ticket& ticket, const Key& key, Cipher cipher) {
  const Schedule& schedule = schedules_[ticket.number_ % schedules_max];
  if (ticket.number_ != 0 && schedule.number == ticket.number_) return *schedule.aead;
  return *expand(ticket, key, cipher).aead;
}

KeySchedules::Schedule& KeySchedules::expand(Ticket& ticket, const Key& key, Cipher cipher) {
  ticket.number_ = ++number_;
  Schedule& schedule = schedules_[number_ % schedules_max];
  if (!schedule.aead) schedule.aead = make_();
  RINGWALL_CHECK(schedule.aead);
  schedule.number = 0;  // until it has been expanded
  schedule.aead->expand(cipher, std::span(key.key).first(key_bytes(cipher)));
  schedule.number = number_;
  return schedule;
}

void KeySchedules::forget(Ticket& ticket) {
  Schedule& schedule = schedules_[ticket.number_ % schedules_max];
  if (ticket.number_ != 0 && schedule.number == ticket.number_) {
    schedule.aead->forget();
    schedule.number = 0;
  }
  ticket.number_ = 0;
}

}  // namespace ringwall::tls
