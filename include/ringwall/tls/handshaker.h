// handshaker.h: one TLS handshake, of either side, by wolfSSL, over memory: what is left of it are keys.
//
// Ciphertext in and out, no sockets, no clock. Ciphertext is consumed from the front of `in` (the span shrinks); what
// there is to send is appended to the Output, whatever the result: always send it.
//
// advance() consumes exactly up to the end of the peer's last handshake record and leaves what follows in `in`. Once
// it is done, keys() are what the connection goes on with (records.h, kernel_key.h), and the Handshaker, with all that
// wolfSSL holds, can go.
//
// The two are handshake.h (server) and client_handshake.h. Owner: one connection. Thread: its shard's.
// Source: RFC 8446, RFC 5246, RFC 7301 (ALPN), RFC 6066 (server name).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <ringwall/tls/failure.h>
#include <ringwall/tls/keys.h>
#include <ringwall/tls/output.h>

struct WOLFSSL;

namespace ringwall::tls {

class Handshaker {
 public:
  enum class Progress : std::uint8_t {
    need_input,  // all of `in` is consumed and more is needed
    done,        // complete
    failed,      // failure() says why; what alert there is (alert_sent) was appended to the Output
  };

  Handshaker() = default;
  Handshaker(const Handshaker&) = delete;
  Handshaker& operator=(const Handshaker&) = delete;
  virtual ~Handshaker();

  // Not called again after done or failed. (A peer that gives up sends an alert: failed.) A client's first call, with
  // nothing in `in`, says the ClientHello.
  [[nodiscard]] virtual Progress advance(std::span<const std::byte>& in, Output& out) = 0;

  [[nodiscard]] virtual Role role() const = 0;
  [[nodiscard]] const Failure& failure() const { return failure_; }
  [[nodiscard]] const std::string& failure_text() const { return failure_text_; }  // one line for a log

  // Lower case. A server's: of the ClientHello, valid once it has been read; empty when there was none.
  [[nodiscard]] const std::string& server_name() const { return server_name_; }

  // Valid once it is done.
  [[nodiscard]] Keys keys() const;
  [[nodiscard]] std::string_view version() const;      // "TLSv1.3"
  [[nodiscard]] std::string_view cipher_name() const;  // "TLS_AES_128_GCM_SHA256"
  [[nodiscard]] std::string_view alpn() const;         // "http/1.1" or empty
  [[nodiscard]] bool resumed() const;

 protected:
  // Lends `in` and `out` to wolfSSL for the time of one call.
  class Lease;

  // Of what may be read now; 0: nothing.
  [[nodiscard]] virtual std::size_t read(std::span<std::byte> to) = 0;
  void attach(WOLFSSL* ssl);  // owned from here on
  [[nodiscard]] std::size_t read_input(std::span<std::byte> to);
  void watch_input(std::span<const std::byte> given);
  // `plain_alert`: one of the peer's that wolfSSL did not get to read.
  Progress fail_with(int error, std::optional<std::uint8_t> plain_alert = std::nullopt);

  WOLFSSL* ssl_ = nullptr;
  std::span<const std::byte>* in_ = nullptr;
  Output* out_ = nullptr;
  // The header of the record that wolfSSL is reading, and what is left of the record.
  std::array<std::byte, 5> record_header_{};
  std::size_t record_header_have_ = 0;
  std::size_t record_left_ = 0;
  std::string server_name_;
  Failure failure_;
  std::string failure_text_;
  bool answered_ = false;  // something of wolfSSL was sent
  bool done_ = false;

 private:
  // wolfSSL's callbacks; `handshaker` is the Handshaker.
  static int receive(WOLFSSL* ssl, char* to, int size, void* handshaker);
  static int send(WOLFSSL* ssl, char* from, int size, void* handshaker);
  static int keep_secret(WOLFSSL* ssl, int id, const unsigned char* secret, int size, void* handshaker);

  void watch_output(std::span<const std::byte> sent);

  Key client_key_;  // TLS 1.3: with the secret of application traffic, as soon as wolfSSL knows it
  Key server_key_;
  std::array<std::byte, 8> explicit_nonce_{};  // TLS 1.2: of the last record that wolfSSL sent
};

}  // namespace ringwall::tls
