// records.h: the record layer in user space, from the end of the handshake on, over memory.
//
// open() decrypts in place in the buffer that the bytes came in; what is only a part of a record is copied and kept
// until the rest is there, and then decrypted in that copy. seal() encrypts from where the plaintext lies straight to
// where the record will be sent from. No I/O, no clock. What a peer may say beside data is judged by post_handshake.h,
// here and where the kernel opens records.
//
// A key is expanded (1,008 bytes) when the connection becomes active, in the shard's KeySchedules, and kept raw with
// it.
//
// Owner: one connection; KeySchedules (the shard's) outlive it. Thread: its shard's.
// Source: RFC 8446 sections 4.6.3, 5 and 6, RFC 5246 section 6, RFC 5288, RFC 7905.
#pragma once

#include <ringwall/tls/failure.h>
#include <ringwall/tls/key_schedules.h>
#include <ringwall/tls/keys.h>
#include <ringwall/tls/output.h>
#include <ringwall/tls/post_handshake.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

namespace ringwall::tls {

inline constexpr std::size_t record_header_bytes = 5;
inline constexpr std::size_t record_plaintext_bytes_max = 16 * 1024;      // RFC 8446 section 5.1
inline constexpr std::size_t record_overhead_bytes_max = 5 + 8 + 16 + 1;  // of one that we seal
// Of a key that is used for so many records, AES-GCM's bound is some way off (RFC 8446 section 5.5).
inline constexpr std::uint64_t records_per_key_max = std::uint64_t{1} << 24;

class Records {
 public:
  enum class Progress : std::uint8_t {
    need_input,  // all of `wire` is consumed; a partial record may be held
    plaintext,   // Opened has what the peer sent (never empty); call again
    closed,      // close_notify: no more plaintext; what follows stays in `wire`
    failed,      // failure(); the alert that is due was appended to the Output. Nothing is sealed from here on
  };

  struct Opened {
    std::span<std::byte> plaintext{};
    // Set: the plaintext lies in this memory of its own. Otherwise it lies in `wire`.
    std::unique_ptr<std::byte[]> memory{};
  };

  Records(const Keys& keys, KeySchedules& schedules, Role role = Role::server);
  ~Records();
  Records(const Records&) = delete;
  Records& operator=(const Records&) = delete;

  // Takes records off the front of `wire`, whose bytes it overwrites. What answers the peer (a KeyUpdate, a warning, an
  // alert) is appended to `out`. Replaces what `opened` had. After `closed` and `failed` it says so again.
  [[nodiscard]] Progress open(std::span<std::byte>& wire, Opened& opened, Output& out);

  // One record of all `pieces` (1 to record_plaintext_bytes_max bytes in all), written to `out`, which has room for
  // them and record_overhead_bytes_max, and does not overlap them. Returns the record's bytes. Not after close() or a
  // failure.
  [[nodiscard]] std::size_t seal(std::span<const std::span<const std::byte>> pieces, std::span<std::byte> out);

  // What is sealed under the present key, by the handshake too. Before it reaches records_per_key_max:
  // update_send_key(), in TLS 1.2 an end.
  [[nodiscard]] std::uint64_t records_sealed() const { return keys_.send.sequence; }
  // TLS 1.3: says KeyUpdate, under the old key, and goes on with the next. Without effect after close() and a failure.
  void update_send_key(Output& out);

  // close_notify, once. Without effect after a failure.
  void close(Output& out);

  [[nodiscard]] const Failure& failure() const { return post_handshake_.failure(); }
  [[nodiscard]] std::string_view failure_text() const { return post_handshake_.failure_text(); }  // one line for a log

  // What follows is for a hand-over to the kernel. A direction is not used here from then on.
  [[nodiscard]] const Keys& keys() const { return keys_; }
  // Wipes what the kernel has now, and the secret that the next key comes from unless that is to be kept.
  void forget_send_key(bool keep_secret);
  void forget_receive_key(bool keep_secret);
  // The next key, without a word of our own: the kernel's records said it.
  void advance_send_key();
  void advance_receive_key();
  // Judges what the kernel gives out too, so that a message which began before the hand-over may end after it.
  [[nodiscard]] PostHandshake& post_handshake() { return post_handshake_; }

  // Bytes that are missing to complete the record that is held in part, as far as is known; 0 at a record's boundary.
  [[nodiscard]] std::size_t bytes_missing() const;
  // Memory that is held for it; at most twice what has come of it, or 64 bytes.
  [[nodiscard]] std::size_t bytes_held() const { return held_capacity_; }

 private:
  struct Plain;

  [[nodiscard]] bool failed() const { return failure().reason != FailureReason::none; }
  // Nothing may be said any more.
  [[nodiscard]] bool mute() const { return close_sent_ || failed(); }
  [[nodiscard]] bool explicit_nonce() const;
  [[nodiscard]] std::optional<std::size_t> record_bytes(std::span<const std::byte> header);
  [[nodiscard]] std::span<std::byte> next_record(std::span<std::byte>& wire);
  [[nodiscard]] bool hold(std::span<std::byte>& wire, std::size_t until);
  void drop_held();
  [[nodiscard]] std::optional<Plain> unprotect(std::span<std::byte> record);
  [[nodiscard]] Progress fail(Output& out);
  std::size_t protect(ContentType type, std::span<const std::span<const std::byte>> pieces, std::span<std::byte> out);
  void say(ContentType type, std::span<const std::uint8_t> message, Output& out);

  KeySchedules& schedules_;
  KeySchedules::Ticket opening_, sealing_;
  // A record that came in part, from its header on.
  std::unique_ptr<std::byte[]> held_;
  std::uint16_t held_bytes_ = 0, held_capacity_ = 0;
  bool close_received_ = false, close_sent_ = false;
  PostHandshake post_handshake_;
  Keys keys_;
};

static_assert(sizeof(Records) <= 272);  // one a connection

}  // namespace ringwall::tls
