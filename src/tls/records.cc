#include <ringwall/check.h>
#include <ringwall/tls/records.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "aead.h"
#include "big_endian.h"

namespace ringwall::tls {
namespace {

constexpr std::size_t explicit_nonce_bytes = 8;
constexpr std::byte legacy_version{3};                               // both bytes of 0x0303
constexpr std::size_t ciphertext_bytes_max_tls13 = 16 * 1024 + 256;  // RFC 8446 section 5.2
constexpr std::size_t held_bytes_min = 64;
static_assert(record_header_bytes + ciphertext_bytes_max_tls13 <= std::numeric_limits<std::uint16_t>::max());

void forget(Key& key, bool keep_secret) {
  wipe(key.key);
  wipe(key.iv);
  if (!keep_secret) wipe(key.secret);
}

// RFC 8446 section 5.3, RFC 7905 section 2.
std::array<std::byte, nonce_bytes> nonce_of(const Key& key) {
  std::array<std::byte, nonce_bytes> nonce{};
  write_big_endian(std::span(nonce).last(sizeof key.sequence), key.sequence);
  for (std::size_t i = 0; i < nonce.size(); ++i) nonce[i] ^= key.iv[i];
  return nonce;
}

// RFC 5246 section 6.2.3.3.
std::array<std::byte, 13> tls12_additional_data(std::uint64_t sequence, std::byte type, std::size_t text_bytes) {
  std::array<std::byte, 13> data{};
  write_big_endian(std::span(data).first(8), sequence);
  data[8] = type;
  data[9] = data[10] = legacy_version;
  write_big_endian(std::span(data).last(2), text_bytes);
  return data;
}

}  // namespace

struct Records::Plain {
  std::uint8_t type;
  std::span<std::byte> text;
};

Records::Records(const Keys& keys, KeySchedules& schedules, Role role)
    : schedules_(schedules), post_handshake_(keys.version, role), keys_(keys) {}

Records::~Records() {
  schedules_.forget(opening_);
  schedules_.forget(sealing_);
}

// TLS 1.2 with AES-GCM carries 8 bytes of the nonce in the record (RFC 5288 section 3).
bool Records::explicit_nonce() const {
  return keys_.version == Version::tls12 && keys_.cipher != Cipher::chacha20_poly1305;
}

Records::Progress Records::open(std::span<std::byte>& wire, Opened& opened, Output& out) {
  opened = {};
  if (failed()) return Progress::failed;
  // Bounded by `wire`: each turn takes a record off it, or ends.
  for (;;) {
    if (close_received_) return Progress::closed;
    const std::span<std::byte> record = next_record(wire);
    if (failed()) return fail(out);
    if (record.empty()) return Progress::need_input;
    const auto plain = unprotect(record);
    if (!plain) return fail(out);
    const bool data = plain->type == static_cast<std::uint8_t>(ContentType::application_data);
    switch (post_handshake_.take(plain->type, plain->text)) {
      case PostHandshake::Due::nothing:
        if (!data || plain->text.empty()) break;
        opened.plaintext = plain->text;
        opened.memory = std::move(held_);
        held_bytes_ = held_capacity_ = 0;
        return Progress::plaintext;
      case PostHandshake::Due::closed:
        close_received_ = true;
        break;
      case PostHandshake::Due::update_both:
        update_send_key(out);
        [[fallthrough]];
      case PostHandshake::Due::update_receive:
        advance_receive_key();
        break;
      case PostHandshake::Due::refuse_renegotiation:
        say(ContentType::alert, std::array<std::uint8_t, 2>{1, alert::no_renegotiation}, out);
        break;
      case PostHandshake::Due::fail:
        return fail(out);
    }
    drop_held();
  }
}

// How long the record is, with its header. Nothing: failed.
std::optional<std::size_t> Records::record_bytes(std::span<const std::byte> header) {
  const auto refuse = [this](Fault fault) {
    post_handshake_.fail(fault);
    return std::nullopt;
  };
  const auto type = std::to_integer<std::uint8_t>(header[0]);
  const std::size_t bytes = std::to_integer<std::size_t>(header[3]) << 8 | std::to_integer<std::size_t>(header[4]);
  const bool tls13 = keys_.version == Version::tls13;
  const bool expected = tls13 ? type == static_cast<std::uint8_t>(ContentType::application_data)
                              : type >= static_cast<std::uint8_t>(ContentType::alert) &&
                                    type <= static_cast<std::uint8_t>(ContentType::application_data);
  if (!expected) return refuse(Fault::record_type);
  if (header[1] != legacy_version || header[2] != legacy_version) return refuse(Fault::record_version);
  const std::size_t overhead = tag_bytes + (explicit_nonce() ? explicit_nonce_bytes : 0);
  if (bytes < overhead) return refuse(Fault::record_too_short);
  if (bytes > (tls13 ? ciphertext_bytes_max_tls13 : record_plaintext_bytes_max + overhead)) {
    return refuse(Fault::record_too_long);
  }
  return record_header_bytes + bytes;
}

// A whole record, in `wire` or in held_. Empty: there is none yet, and all of `wire` is consumed; or failed.
std::span<std::byte> Records::next_record(std::span<std::byte>& wire) {
  std::size_t until = record_header_bytes;
  if (held_bytes_ == 0 && wire.size() >= record_header_bytes) {
    const auto bytes = record_bytes(wire);
    if (!bytes) return {};
    until = *bytes;
    if (wire.size() >= *bytes) {
      const auto record = wire.first(*bytes);
      wire = wire.subspan(*bytes);
      return record;
    }
  }
  if (!hold(wire, until)) return {};
  const auto bytes = record_bytes(std::span(held_.get(), record_header_bytes));
  if (!bytes || !hold(wire, *bytes)) return {};
  return std::span(held_.get(), *bytes);
}

// Takes from `wire` until so many bytes are held. False: they are not there yet.
bool Records::hold(std::span<std::byte>& wire, std::size_t until) {
  if (held_bytes_ >= until) return true;
  const std::size_t taken = std::min(wire.size(), until - held_bytes_);
  if (taken == 0) return false;
  const std::size_t needed = held_bytes_ + taken;
  if (needed > held_capacity_) {
    const std::size_t capacity = std::max(std::min(2 * needed, until), held_bytes_min);
    auto larger = std::make_unique_for_overwrite<std::byte[]>(capacity);
    if (held_bytes_ > 0) std::memcpy(larger.get(), held_.get(), held_bytes_);
    held_ = std::move(larger);
    held_capacity_ = static_cast<std::uint16_t>(capacity);
  }
  std::memcpy(held_.get() + held_bytes_, wire.data(), taken);
  wire = wire.subspan(taken);
  held_bytes_ = static_cast<std::uint16_t>(needed);
  return needed == until;
}

void Records::drop_held() {
  held_.reset();
  held_bytes_ = held_capacity_ = 0;
}

std::size_t Records::bytes_missing() const {
  if (held_bytes_ == 0) return 0;
  if (held_bytes_ < record_header_bytes) return record_header_bytes - held_bytes_;
  const std::size_t bytes = std::to_integer<std::size_t>(held_[3]) << 8 | std::to_integer<std::size_t>(held_[4]);
  return record_header_bytes + bytes - held_bytes_;
}

// Decrypts in place. Nothing: failed.
std::optional<Records::Plain> Records::unprotect(std::span<std::byte> record) {
  const auto refuse = [this](Fault fault) {
    post_handshake_.fail(fault);
    return std::nullopt;
  };
  Key& key = keys_.receive;
  if (key.sequence == std::numeric_limits<std::uint64_t>::max()) return refuse(Fault::sequence_exhausted);
  const auto header = record.first<record_header_bytes>();
  auto body = record.subspan(record_header_bytes);
  std::array<std::byte, nonce_bytes> nonce;
  if (explicit_nonce()) {
    std::copy_n(key.iv.begin(), nonce_bytes - explicit_nonce_bytes, nonce.begin());
    std::ranges::copy(body.first<explicit_nonce_bytes>(), nonce.end() - explicit_nonce_bytes);
    body = body.subspan(explicit_nonce_bytes);
  } else {
    nonce = nonce_of(key);
  }
  auto text = body.first(body.size() - tag_bytes);
  const auto tag = body.last<tag_bytes>();
  const Aead& aead = schedules_.ready(opening_, key, keys_.cipher);
  const bool tls13 = keys_.version == Version::tls13;
  const auto tls12_data = tls12_additional_data(key.sequence, header[0], text.size());
  if (!aead.open(nonce, tls13 ? Bytes(header) : Bytes(tls12_data), text, tag)) return refuse(Fault::record_tag);
  ++key.sequence;
  if (!tls13) return Plain{std::to_integer<std::uint8_t>(header[0]), text};

  // TLSInnerPlaintext, with its padding, is no longer than a whole record and its type (RFC 8446 section 5.4).
  if (text.size() > record_plaintext_bytes_max + 1) return refuse(Fault::plaintext_too_long);
  std::size_t end = text.size();
  while (end > 0 && text[end - 1] == std::byte{0}) --end;
  if (end == 0) return refuse(Fault::no_content_type);
  return Plain{std::to_integer<std::uint8_t>(text[end - 1]), text.first(end - 1)};
}

Records::Progress Records::fail(Output& out) {
  drop_held();
  if (const auto due = failure().alert_sent) {
    if (close_sent_) {
      post_handshake_.withhold_alert();
    } else {
      say(ContentType::alert, std::array<std::uint8_t, 2>{2, *due}, out);
    }
  }
  return Progress::failed;
}

std::size_t Records::seal(std::span<const std::span<const std::byte>> pieces, std::span<std::byte> out) {
  RINGWALL_CHECK(!mute());
  RINGWALL_CHECK(records_sealed() < records_per_key_max);
  return protect(ContentType::application_data, pieces, out);
}

std::size_t Records::protect(ContentType type, std::span<const std::span<const std::byte>> pieces,
                             std::span<std::byte> out) {
  std::size_t text_bytes = 0;
  for (const auto piece : pieces) text_bytes += piece.size();
  RINGWALL_CHECK(text_bytes > 0);
  RINGWALL_CHECK(text_bytes <= record_plaintext_bytes_max);
  Key& key = keys_.send;
  RINGWALL_CHECK(key.sequence != std::numeric_limits<std::uint64_t>::max());
  const bool tls13 = keys_.version == Version::tls13;
  const auto type_byte = static_cast<std::byte>(type);
  const auto tls12_data = tls12_additional_data(key.sequence, type_byte, text_bytes);
  if (tls13) ++text_bytes;
  const std::size_t prefix_bytes = explicit_nonce() ? explicit_nonce_bytes : 0;
  const std::size_t body_bytes = prefix_bytes + text_bytes + tag_bytes;
  RINGWALL_CHECK(out.size() >= record_header_bytes + body_bytes);

  const auto header = out.first<record_header_bytes>();
  header[0] = tls13 ? static_cast<std::byte>(ContentType::application_data) : type_byte;
  header[1] = header[2] = legacy_version;
  write_big_endian(header.last<2>(), body_bytes);
  auto nonce = key.iv;
  if (explicit_nonce()) {
    std::ranges::copy(std::span(nonce).last<explicit_nonce_bytes>(), out.data() + record_header_bytes);
    increment(std::span(key.iv).last<explicit_nonce_bytes>());
  } else {
    nonce = nonce_of(key);
  }
  const Aead& aead = schedules_.ready(sealing_, key, keys_.cipher);
  aead.seal(nonce, tls13 ? Bytes(header) : Bytes(tls12_data), pieces, tls13 ? Bytes(&type_byte, 1) : Bytes(),
            text_bytes, out.data() + record_header_bytes + prefix_bytes);
  ++key.sequence;
  return record_header_bytes + body_bytes;
}

// A message of our own, as one record.
void Records::say(ContentType type, std::span<const std::uint8_t> message, Output& out) {
  if (close_sent_) return;
  std::array<std::byte, record_overhead_bytes_max + 8> record;
  const std::array pieces{std::as_bytes(message)};
  out.append(std::span(record).first(protect(type, pieces, record)));
}

void Records::update_send_key(Output& out) {
  RINGWALL_CHECK(keys_.version == Version::tls13);
  if (mute()) return;
  say(ContentType::handshake, key_update_message, out);
  advance_send_key();
}

void Records::forget_send_key(bool keep_secret) {
  schedules_.forget(sealing_);
  forget(keys_.send, keep_secret);
}

void Records::forget_receive_key(bool keep_secret) {
  schedules_.forget(opening_);
  forget(keys_.receive, keep_secret);
}

void Records::advance_send_key() {
  schedules_.forget(sealing_);
  advance(keys_.send, keys_.cipher, keys_.hash);
}

void Records::advance_receive_key() {
  schedules_.forget(opening_);
  advance(keys_.receive, keys_.cipher, keys_.hash);
}

void Records::close(Output& out) {
  if (mute()) return;
  say(ContentType::alert, std::array<std::uint8_t, 2>{1, 0}, out);
  close_sent_ = true;
}

}  // namespace ringwall::tls
