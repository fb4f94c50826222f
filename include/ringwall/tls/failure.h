// failure.h: why a TLS connection failed, in words that logs and metrics can count.
//
// Source of the alert numbers: RFC 8446 section 6, RFC 5246 section 7.2, RFC 7301 section 3.2.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ringwall::tls {

enum class FailureReason : std::uint8_t {
  none,
  plain_http,               // HTTP on the TLS port: nothing was sent, the caller may answer in HTTP
  not_tls,                  // other bytes that are no TLS record; nothing was sent
  protocol_version,         // the client offers neither TLS 1.2 nor 1.3
  no_shared_cipher,         // no AEAD suite with ECDHE, no group or no signature algorithm in common
  no_application_protocol,  // the client's ALPN list has no http/1.1
  certificate_refused,      // the client does not accept the server's: its alert says so, or it is us
  peer_alert,               // another alert of the peer that ends the connection
  renegotiation,            // a handshake message where TLS 1.2 would begin a second handshake
  bad_record,               // a record that does not decrypt
  malformed,                // anything else that breaks the protocol
  hello_too_large,          // a ClientHello of more than client_hello_bytes_max
  internal,                 // out of memory, or wolfSSL failed in a way that is not the peer's doing
};

// A stable word: "plain_http", "no_shared_cipher" ...
[[nodiscard]] std::string_view name(FailureReason reason);

struct Failure {
  FailureReason reason = FailureReason::none;
  std::optional<std::uint8_t> alert_sent;  // an AlertDescription
  std::optional<std::uint8_t> alert_received;
};

namespace alert {
inline constexpr std::uint8_t unexpected_message = 10;
inline constexpr std::uint8_t bad_record_mac = 20;
inline constexpr std::uint8_t record_overflow = 22;
inline constexpr std::uint8_t handshake_failure = 40;
inline constexpr std::uint8_t illegal_parameter = 47;
inline constexpr std::uint8_t decode_error = 50;
inline constexpr std::uint8_t protocol_version = 70;
inline constexpr std::uint8_t internal_error = 80;
inline constexpr std::uint8_t no_renegotiation = 100;
inline constexpr std::uint8_t no_application_protocol = 120;
}  // namespace alert

// "handshake_failure" ...; "unknown" for a number without a name.
[[nodiscard]] std::string_view alert_name(std::uint8_t description);

}  // namespace ringwall::tls
