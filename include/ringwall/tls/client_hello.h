// client_hello.h: reads a ClientHello before wolfSSL sees it.
//
// Two reasons: the certificate must be chosen by the server name and by what the client can verify, and a connection
// that has not said a whole ClientHello should cost no more than its bytes. wolfSSL then reads the same message again
// and judges it; nothing here accepts what wolfSSL would refuse.
//
// Bytes in, a ClientHello and one record out; no I/O. Never reads past the record in which the message ends.
// Source: RFC 8446 sections 4.1.2, 4.2 and 5.1; RFC 6066 section 3; RFC 7301 section 3.1; RFC 8422 section 5.1.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <ringwall/tls/failure.h>

namespace ringwall::tls {

// The handshake message with its header of 4 bytes. Browsers with a post-quantum key share send about 1,800; a record
// holds at most 16,384 (RFC 8446 section 5.1).
inline constexpr std::size_t client_hello_bytes_max = 16 * 1024;

struct ClientHello {
  std::string server_name;  // lower case; empty when absent or no host name
  bool tls13 = false;       // in supported_versions
  bool tls12 = false;       // there too; without that extension, by legacy_version
  bool group = false;       // X25519 or P-256 is among its groups (or it sent none, in TLS 1.2)
  // Whether the client can verify a key of this kind in the version that it will get.
  bool ecdsa_p256 = false;
  bool ecdsa_p384 = false;
  bool rsa = false;
  bool alpn = false;  // an ALPN list was sent
  bool alpn_http11 = false;
};

// `message` is a whole handshake message with its header. Empty: it is malformed.
[[nodiscard]] std::optional<ClientHello> parse_client_hello(std::span<const std::byte> message);

// Collects records until the ClientHello in them is whole.
class HelloReader {
 public:
  enum class Status : std::uint8_t { need_input, complete, refused };

  // Takes from the front of `in`. After `refused`, reason() and text() say why and alert() what to send, if anything.
  [[nodiscard]] Status consume(std::span<const std::byte>& in);

  [[nodiscard]] FailureReason reason() const { return reason_; }
  [[nodiscard]] const char* text() const { return text_; }
  [[nodiscard]] std::optional<std::uint8_t> alert() const { return alert_; }

  // After `complete`: the message as one record. Joining fragments changes no transcript, which covers messages only.
  [[nodiscard]] std::span<const std::byte> record() const { return record_; }
  [[nodiscard]] std::span<const std::byte> message() const { return record().subspan(header_bytes); }
  // Frees the bytes.
  void release();

 private:
  static constexpr std::size_t header_bytes = 5;
  static constexpr std::size_t message_header_bytes = 4;

  [[nodiscard]] Status refuse(FailureReason reason, const char* text, std::optional<std::uint8_t> alert);
  [[nodiscard]] Status check_first_byte(std::byte first);
  [[nodiscard]] Status begin_record();
  [[nodiscard]] Status check_message();

  std::array<std::byte, header_bytes> header_{};  // of the record being read
  std::size_t header_have_ = 0;
  std::size_t record_left_ = 0;  // bytes of the present record's payload still to come
  std::vector<std::byte> record_;
  FailureReason reason_ = FailureReason::none;
  const char* text_ = "";
  std::optional<std::uint8_t> alert_;
};

}  // namespace ringwall::tls
