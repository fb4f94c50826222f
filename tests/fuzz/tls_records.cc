// A peer's records, by a script: what it sealed comes out as it went in, and what was touched on the way ends there.
//
// The script: suite (from 128 on as our client hears a server), bytes given at a time (0: all), bytes of the end that
// never come, then steps (see Script). Records are sealed by wolfCrypt in code of this file, and opened by what the
// build uses.
#include <ringwall/check.h>
#include <ringwall/tls/records.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tls/aead.h"

namespace {

using namespace ringwall;
using namespace ringwall::tls;
using Buffer = std::vector<std::byte>;
using Progress = Records::Progress;

constexpr std::uint8_t type_alert = 21, type_handshake = 22, type_data = 23;

class Appended final : public Output {
 public:
  void append(std::span<const std::byte> ciphertext) override {
    bytes.insert(bytes.end(), ciphertext.begin(), ciphertext.end());
  }
  Buffer bytes;
};

std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }

Role role_for(std::uint8_t suite) { return suite < 128 ? Role::server : Role::client; }

Keys keys_for(std::uint8_t suite) {
  suite %= 128;
  Keys keys;
  keys.version = suite % 2 == 0 ? Version::tls13 : Version::tls12;
  keys.cipher = static_cast<Cipher>(suite / 2 % 3);
  keys.hash = keys.cipher == Cipher::aes_256_gcm ? Hash::sha384 : Hash::sha256;
  std::ranges::fill(keys.send.key, std::byte{0x53});
  std::ranges::fill(keys.receive.key, std::byte{0x72});
  return keys;
}

// One direction of the peer.
class Direction {
 public:
  Direction(const Keys& keys, const Key& key) : keys_(keys), key_(key) {}

  void advance_key() { advance(key_, keys_.cipher, keys_.hash); }

  Buffer seal(std::uint8_t type, std::string text, std::size_t padding) {
    if (tls13()) {
      text += static_cast<char>(type);
      text.append(padding, '\0');
      type = type_data;
    }
    const std::size_t prefix = explicit_nonce() ? 8 : 0;
    Buffer record = header(type, prefix + text.size() + tag_bytes);
    record.resize(5 + prefix + text.size() + tag_bytes);
    const Buffer nonce = nonce_from(std::span(record).subspan(5, prefix));  // an explicit nonce of zeros does
    const Buffer aad = additional_data(std::span(record).first(5), text.size());
    const std::array pieces{as_bytes(text)};
    aead().seal(std::span(nonce).first<nonce_bytes>(), aad, pieces, {}, text.size(), record.data() + 5 + prefix);
    ++key_.sequence;
    return record;
  }

  // Takes one whole record off `wire`.
  std::pair<std::uint8_t, std::string> open(std::span<std::byte>& wire) {
    RINGWALL_CHECK(wire.size() >= 5);
    const std::size_t bytes = std::to_integer<std::size_t>(wire[3]) << 8 | std::to_integer<std::size_t>(wire[4]);
    RINGWALL_CHECK(wire.size() >= 5 + bytes);
    const std::size_t prefix = explicit_nonce() ? 8 : 0;
    auto text = wire.subspan(5 + prefix, bytes - prefix - tag_bytes);
    const Buffer nonce = nonce_from(wire.subspan(5, prefix));
    const Buffer aad = additional_data(wire.first(5), text.size());
    RINGWALL_CHECK(aead().open(std::span(nonce).first<nonce_bytes>(), aad, text,
                               wire.subspan(5 + bytes - tag_bytes).first<tag_bytes>()));
    ++key_.sequence;
    auto type = std::to_integer<std::uint8_t>(wire[0]);
    if (tls13()) {
      type = std::to_integer<std::uint8_t>(text.back());
      text = text.first(text.size() - 1);
    }
    wire = wire.subspan(5 + bytes);
    return {type, std::string(reinterpret_cast<const char*>(text.data()), text.size())};
  }

 private:
  [[nodiscard]] bool tls13() const { return keys_.version == Version::tls13; }
  [[nodiscard]] bool explicit_nonce() const { return !tls13() && keys_.cipher != Cipher::chacha20_poly1305; }

  [[nodiscard]] const Aead& aead() const {
    static const auto wolfcrypt = make_wolfcrypt();
    wolfcrypt->expand(keys_.cipher, std::span(key_.key).first(key_bytes(keys_.cipher)));
    return *wolfcrypt;
  }
  static Buffer header(std::uint8_t type, std::size_t bytes) {
    return {std::byte{type}, std::byte{3}, std::byte{3}, static_cast<std::byte>(bytes >> 8),
            static_cast<std::byte>(bytes)};
  }
  [[nodiscard]] std::array<std::byte, 8> sequence() const {
    std::array<std::byte, 8> bytes;
    for (std::size_t i = 0; i < 8; ++i) bytes[i] = static_cast<std::byte>(key_.sequence >> (56 - 8 * i));
    return bytes;
  }
  [[nodiscard]] Buffer nonce_from(std::span<const std::byte> prefix) const {
    Buffer nonce(key_.iv.begin(), key_.iv.end());
    if (explicit_nonce()) {
      std::ranges::copy(prefix, nonce.begin() + 4);
    } else {
      for (std::size_t i = 0; i < 8; ++i) nonce[4 + i] ^= sequence()[i];
    }
    return nonce;
  }
  [[nodiscard]] Buffer additional_data(std::span<const std::byte> record_header, std::size_t text_bytes) const {
    if (tls13()) return {record_header.begin(), record_header.end()};
    const auto number = sequence();
    Buffer data(number.begin(), number.end());
    data.insert(data.end(), record_header.begin(), record_header.begin() + 3);
    data.push_back(static_cast<std::byte>(text_bytes >> 8));
    data.push_back(static_cast<std::byte>(text_bytes));
    return data;
  }

  const Keys& keys_;
  Key key_;
};

// Writes the wire, and what is to come of it.
class Script {
 public:
  Script(const Keys& keys, Role ours, std::span<const std::uint8_t> input)
      : tls13_(keys.version == Version::tls13), ours_(ours), client_(keys, keys.receive), input_(input) {
    while (!input_.empty() && wire.size() < 40'000) step();
    const std::size_t same = std::min(wire.size(), pristine_.size());
    const auto differs =
        std::mismatch(wire.begin(), wire.begin() + static_cast<std::ptrdiff_t>(same), pristine_.begin());
    broken_from = std::min(broken_from, static_cast<std::size_t>(differs.first - wire.begin()));
  }

  // Bytes of `text` that are out once `bytes` of the wire have come, of which none counts from `limit` on.
  [[nodiscard]] std::size_t text_by(std::size_t bytes, std::size_t limit) const {
    std::size_t out = 0;
    for (const auto& [end, text_bytes] : ends_) {
      if (end <= bytes && end <= limit) out = text_bytes;
    }
    return out;
  }

  Buffer wire;
  std::string text;
  std::size_t broken_from = SIZE_MAX;     // the connection can't go on past the record that this lies in
  std::size_t uncertain_from = SIZE_MAX;  // or may not, from here on
  std::size_t closed_at = SIZE_MAX;       // the end of a close_notify

 private:
  std::uint8_t next() {
    if (input_.empty()) return 0;
    const std::uint8_t byte = input_[0];
    input_ = input_.subspan(1);
    return byte;
  }
  std::size_t next_two() {
    const std::size_t high = next();
    return high << 8 | next();
  }

  void write(std::uint8_t type, const std::string& record_text, std::size_t padding) {
    // Bounded by what a record may hold.
    const std::size_t room = record_plaintext_bytes_max - record_text.size();
    const Buffer record = client_.seal(type, record_text, std::min(padding, room));
    const std::size_t start = wire.size();
    wire.insert(wire.end(), record.begin(), record.end());
    pristine_.resize(start);
    pristine_.insert(pristine_.end(), record.begin(), record.end());
    if (type == type_data) text += record_text;
    ends_.emplace_back(wire.size(), text.size());
    idle_ = type == type_data && !record_text.empty() ? 0 : idle_ + 1;
    // The record that is one too many is whole before it is refused.
    if (idle_ > PostHandshake::idle_records_max) broken_from = std::min(broken_from, start);
  }

  void step() {
    switch (next() % (ours_ == Role::server ? 9 : 10)) {
      case 0:
        return write(type_data, std::string(next_two() % (record_plaintext_bytes_max + 1), next_letter()), 0);
      case 1: {
        const std::size_t bytes = next();
        return write(type_data, std::string(bytes, next_letter()), next_two());
      }
      case 2:
        if (!tls13_) return write(type_handshake, renegotiation(), 0);
        write(type_handshake, std::string("\x18\0\0\1\0", 5), 0);
        return client_.advance_key();
      case 3:
        if (!tls13_) return write(type_handshake, renegotiation() + renegotiation(), 0);
        write(type_handshake, std::string("\x18\0\0\1\1", 5), next());
        return client_.advance_key();
      case 4: {  // anything, well sealed
        std::uint8_t type = next();
        std::string any(next() % 32, '\0');
        for (char& byte : any) byte = static_cast<char>(next());
        // In TLS 1.3 no type is padding, and the last byte that is not 0 the type (RFC 8446 section 5.4).
        if (tls13_ && type == 0) any.erase(any.find_last_not_of('\0') + 1);
        if (tls13_ && type == 0 && !any.empty()) {
          type = static_cast<std::uint8_t>(any.back());
          any.pop_back();
        }
        uncertain_from = std::min(uncertain_from, wire.size());
        return write(type, any, next());
      }
      case 5: {  // one byte becomes another
        const std::size_t at = next_two();
        if (!wire.empty()) wire[at % wire.size()] ^= std::byte{next()};
        return;
      }
      case 6: {  // bytes that nobody sealed
        const std::size_t bytes = 1 + next() % 16;
        broken_from = std::min(broken_from, wire.size());
        for (std::size_t i = 0; i < bytes; ++i) wire.push_back(std::byte{next()});
        return;
      }
      case 7:
        return write(type_data, "", 0);
      case 8:
        write(type_alert, std::string("\1\0", 2), 0);
        closed_at = std::min(closed_at, wire.size());
        return;
      case 9:
        return write_tickets();
    }
  }

  [[nodiscard]] std::string renegotiation() const {
    return ours_ == Role::server ? std::string("\1\0\0\2hi", 6) : std::string(4, '\0');
  }

  // Some tickets, cut into records anywhere.
  void write_tickets() {
    if (!tls13_) return write(type_data, "", 0);
    std::string tickets;
    for (std::size_t count = 1 + next() % 3; count > 0; --count) {
      const std::size_t bytes = next();
      tickets += std::string("\4\0\0", 3) + static_cast<char>(bytes) + std::string(bytes, next_letter());
    }
    while (!tickets.empty()) {
      const std::size_t part = 1 + next() % tickets.size();
      write(type_handshake, tickets.substr(0, part), 0);
      tickets.erase(0, part);
      if (input_.empty()) return write(type_handshake, tickets + std::string("\4\0\0\0", 4), 0);
    }
  }

  char next_letter() { return letter_ = letter_ == 'z' ? 'a' : static_cast<char>(letter_ + 1); }

  bool tls13_;
  Role ours_;
  Direction client_;
  std::span<const std::uint8_t> input_;
  Buffer pristine_;  // the wire before it was touched; bytes that nobody sealed are anything
  std::vector<std::pair<std::size_t, std::size_t>> ends_;
  std::size_t idle_ = 0;
  char letter_ = 'z';
};

struct Read {
  Progress progress = Progress::need_input;
  std::string text;
  std::size_t left = 0;  // of what was given, when it ended
};

Read read(Records& records, std::span<std::byte> wire, std::size_t step, Output& out) {
  Read result;
  while (!wire.empty()) {
    auto given = wire.first(std::min(step, wire.size()));
    wire = wire.subspan(given.size());
    const std::size_t bytes = given.size();
    Records::Opened opened;
    while ((result.progress = records.open(given, opened, out)) == Progress::plaintext) {
      RINGWALL_CHECK(!opened.plaintext.empty());
      result.text.append(reinterpret_cast<const char*>(opened.plaintext.data()), opened.plaintext.size());
    }
    RINGWALL_CHECK(given.size() <= bytes);
    RINGWALL_CHECK(records.bytes_held() <= 5 + record_plaintext_bytes_max + 256);
    result.left = given.size() + wire.size();
    if (result.progress != Progress::need_input) break;
    RINGWALL_CHECK(given.empty());
  }
  return result;
}

// What we said decrypts at the client; the last of it is the alert that was told of, if there is one.
void check_said(Direction& server, std::span<std::byte> wire, const Failure& failure) {
  std::uint8_t alert = 0;
  while (!wire.empty()) {
    const auto [type, text] = server.open(wire);
    RINGWALL_CHECK(type == type_alert || type == type_handshake);
    RINGWALL_CHECK(alert == 0);
    if (type == type_handshake) {
      RINGWALL_CHECK(text == std::string_view("\x18\0\0\1\0", 5));
      server.advance_key();
    } else {
      RINGWALL_CHECK(text.size() == 2);
      if (text[0] == 2) alert = static_cast<std::uint8_t>(text[1]);
    }
  }
  RINGWALL_CHECK(alert == failure.alert_sent.value_or(0));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 3) return 0;
  const Keys keys = keys_for(data[0]);
  const Role role = role_for(data[0]);
  const std::size_t step = data[1] == 0 ? SIZE_MAX : data[1];
  Script script(keys, role, std::span(data + 3, size - 3));
  const std::size_t come = script.wire.size() - std::min<std::size_t>(data[2], script.wire.size());

  KeySchedules schedules;
  Records records(keys, schedules, role);
  Direction server(keys, keys.send);
  Appended out;
  Buffer wire = script.wire;
  const Read got = read(records, std::span(wire).first(come), step, out);

  const std::size_t ended = std::min(script.broken_from, script.closed_at);
  RINGWALL_CHECK(script.text.starts_with(got.text));
  RINGWALL_CHECK(got.text.size() <= script.text_by(come, ended));
  RINGWALL_CHECK(got.text.size() >= script.text_by(come, std::min(ended, script.uncertain_from)));
  const bool failed = got.progress == Progress::failed;
  RINGWALL_CHECK(failed == (records.failure().reason != FailureReason::none));
  if (script.uncertain_from >= come) {
    if (script.closed_at <= std::min(come, script.broken_from)) {
      RINGWALL_CHECK(got.progress == Progress::closed);
      RINGWALL_CHECK(got.left == come - script.closed_at);
    } else if (script.broken_from >= come) {
      RINGWALL_CHECK(got.progress == Progress::need_input);
    } else {
      RINGWALL_CHECK(failed || records.bytes_missing() > 0);
    }
  }

  check_said(server, out.bytes, records.failure());
  if (!failed) {
    const std::string sent = "what is sent in pieces";
    const std::array pieces{as_bytes(sent).first(data[2] % sent.size()), as_bytes(sent).subspan(data[2] % sent.size())};
    Buffer record(sent.size() + record_overhead_bytes_max);
    std::span<std::byte> sealed = std::span(record).first(records.seal(pieces, record));
    RINGWALL_CHECK(server.open(sealed).second == sent);
    RINGWALL_CHECK(sealed.empty());
  }
  return 0;
}
