// handshake.h: the server side of one TLS handshake, by wolfSSL, over memory.
//
// Ciphertext in and out, no sockets, no clock. Ciphertext is consumed from the front of `in` (the span shrinks); what
// there is to send is appended to the Output, whatever the result: always send it.
//
// advance() consumes exactly up to the end of the client's last handshake record and leaves what follows in `in`. Once
// it is done, keys() are what the connection goes on with (records.h, kernel_key.h), and the Handshake, with all that
// wolfSSL holds, can go. Until the ClientHello is complete nothing but its bytes is held: a connection that says
// nothing costs no TLS state.
//
// Owner: one connection. Thread: its shard's. The Context must outlive it.
// Source: RFC 8446, RFC 5246, RFC 7301 (ALPN), RFC 6066 (server name, stapling).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <ringwall/tls/client_hello.h>
#include <ringwall/tls/context.h>
#include <ringwall/tls/failure.h>
#include <ringwall/tls/keys.h>
#include <ringwall/tls/output.h>

struct WOLFSSL;

namespace ringwall::tls {

class Handshake {
 public:
  enum class Progress : std::uint8_t {
    need_input,  // all of `in` is consumed and more is needed
    done,        // complete, tickets included
    failed,      // failure() says why; what alert there is (alert_sent) was appended to the Output
  };

  explicit Handshake(const Context& context);
  ~Handshake();
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;

  // Not called again after done or failed. (A client that gives up sends an alert: failed.)
  [[nodiscard]] Progress advance(std::span<const std::byte>& in, Output& out);

  [[nodiscard]] const Failure& failure() const { return failure_; }
  [[nodiscard]] const std::string& failure_text() const { return failure_text_; }  // one line for a log

  // Of the ClientHello, lower case, valid once it has been read; empty when there was none.
  [[nodiscard]] const std::string& server_name() const { return server_name_; }

  // Valid once it is done.
  [[nodiscard]] Keys keys() const;
  [[nodiscard]] std::string_view version() const;      // "TLSv1.3"
  [[nodiscard]] std::string_view cipher_name() const;  // "TLS_AES_128_GCM_SHA256"
  [[nodiscard]] std::string_view alpn() const;         // "http/1.1" or empty
  [[nodiscard]] bool resumed() const;
  [[nodiscard]] const Identity& certificate() const;  // the one that was chosen

 private:
  // wolfSSL's callbacks; `handshake` is the Handshake.
  static int receive(WOLFSSL* ssl, char* to, int size, void* handshake);
  static int send(WOLFSSL* ssl, char* from, int size, void* handshake);
  static int keep_secret(WOLFSSL* ssl, int id, const unsigned char* secret, int size, void* handshake);
  // Lends `in` and `out` to the callbacks for the time of one call.
  class Lease;

  [[nodiscard]] Progress begin(Output& out);
  [[nodiscard]] Progress refuse(FailureReason reason, std::string text, std::optional<std::uint8_t> alert, Output& out);
  [[nodiscard]] Progress accept(std::span<const std::byte>& in, Output& out);
  [[nodiscard]] Progress fail_with(int error);
  [[nodiscard]] std::size_t input_left() const;
  void watch_input(std::span<const std::byte> given);
  void watch_output(std::span<const std::byte> sent);
  void notice_plain_alert();

  const Context& context_;
  WOLFSSL* ssl_ = nullptr;  // made when the ClientHello is whole
  const Context::Entry* entry_ = nullptr;
  HelloReader hello_;
  std::size_t hello_given_ = 0;  // bytes of hello_.record() that wolfSSL has read
  // The header of the record that wolfSSL is reading, until the handshake is done.
  std::array<std::byte, 5> record_header_{};
  std::size_t record_header_have_ = 0;
  std::size_t record_left_ = 0;
  std::span<const std::byte>* in_ = nullptr;
  Output* out_ = nullptr;
  std::string server_name_;
  Failure failure_;
  std::string failure_text_;
  Key client_key_;  // TLS 1.3: with the secret of application traffic, as soon as wolfSSL knows it
  Key server_key_;
  std::array<std::byte, 8> explicit_nonce_{};  // TLS 1.2: of the last record that wolfSSL sent
  bool answered_ = false;                      // something of wolfSSL was sent
  bool done_ = false;
};

}  // namespace ringwall::tls
