// post_handshake.h: what a peer says beside data once the handshake is over, and what is due to it.
//
// One small state machine for both record layers: ours hands it what it has decrypted, a kernel's what it gives out
// with TLS_GET_RECORD_TYPE. A client of TLS 1.3 takes the server's tickets and ignores them. Owner: one connection.
// Source: RFC 8446 sections 4.6 and 6, RFC 5246 sections 7.2, 7.4.1.1 and 7.4.1.2.
#pragma once

#include <ringwall/tls/failure.h>
#include <ringwall/tls/keys.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ringwall::tls {

enum class ContentType : std::uint8_t { change_cipher_spec = 20, alert = 21, handshake = 22, application_data = 23 };

// How a connection may break once the handshake is over: each has its reason, its alert and its words.
enum class Fault : std::uint8_t {
  none,
  peer_alert,
  record_version,
  record_type,
  record_too_long,
  record_too_short,
  record_tag,
  plaintext_too_long,
  no_content_type,
  sequence_exhausted,
  alert_empty,
  alert_malformed,
  alert_level,
  handshake_empty,
  handshake_interleaved,
  handshake_message,
  key_update_length,
  key_update_value,
  key_update_not_last,
  client_hello_too_large,
  session_ticket_too_large,
  idle_records,
  idle_renegotiation,
};

inline constexpr std::size_t session_ticket_bytes_max = 16 * 1024;  // of a NewSessionTicket that we ignore

// A whole KeyUpdate of ours: update_not_requested (RFC 8446 section 4.6.3).
inline constexpr std::array<std::uint8_t, 5> key_update_message{24, 0, 0, 1, 0};

class PostHandshake {
 public:
  enum class Due : std::uint8_t {
    nothing,
    closed,                // close_notify came (in TLS 1.2 and 1.3: of the peer's direction only)
    update_receive,        // KeyUpdate: what follows is under the peer's next key
    update_both,           // the same, and the peer asks for ours: a KeyUpdate, then our next key
    refuse_renegotiation,  // TLS 1.2: the warning no_renegotiation is due; the connection goes on
    fail,                  // failure() has the reason, and in alert_sent the alert that is due (none: send none)
  };

  // Records without data, one after another, that a peer may send: who goes on is up to no good.
  static constexpr unsigned idle_records_max = 32;

  explicit PostHandshake(Version version, Role role = Role::server) : version_(version), role_(role) {}

  // A whole record's plaintext. Of application data only that it came, and whether it was empty, is looked at. Not
  // called again after `fail`.
  [[nodiscard]] Due take(std::uint8_t type, std::span<const std::byte> plaintext);

  // What a record layer itself finds wrong. Always Due::fail.
  Due fail(Fault fault);
  // The alert that is due can't be sent any more, since close_notify was.
  void withhold_alert() { failure_.alert_sent.reset(); }

  [[nodiscard]] const Failure& failure() const { return failure_; }
  [[nodiscard]] std::string_view failure_text() const;  // one line for a log; empty as long as nothing failed

 private:
  [[nodiscard]] Due take_alert(std::span<const std::byte> plaintext);
  [[nodiscard]] Due take_tls13(std::span<const std::byte> plaintext);
  [[nodiscard]] Due take_tls12(std::span<const std::byte> plaintext);
  [[nodiscard]] Due take_key_update(std::span<const std::byte> rest);
  [[nodiscard]] bool skip(std::span<const std::byte>& plaintext);

  Version version_;
  Role role_;  // ours
  Fault fault_ = Fault::none;
  std::uint8_t idle_records_ = 0;
  std::uint8_t message_have_ = 0;       // bytes of message_
  std::array<std::byte, 5> message_{};  // a KeyUpdate, or the header of a message to ignore, that is not whole yet
  std::uint16_t message_left_ = 0;      // bytes of the message to ignore that are to come, once its header is whole
  Failure failure_;
};

}  // namespace ringwall::tls
