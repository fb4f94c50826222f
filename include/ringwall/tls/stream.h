// stream.h: the server side of one TLS connection, over memory.
//
// Ciphertext in and out, plaintext in and out, no sockets, no clock. Ciphertext is consumed from the front of `in`
// (the span shrinks); what there is to send is appended to the Output, whatever the result: always send it.
//
// handshake() consumes exactly up to the end of the client's last handshake record and leaves what follows in `in`, so
// that from there on the keys may be used elsewhere. Until the ClientHello is complete nothing but its bytes is held:
// a connection that says nothing costs no TLS state.
//
// Order: handshake() until done, then read(), write() and close() in any order; after `closed` write() still works
// (a half-close), after `failed` nothing is called but the accessors.
//
// Owner: one connection. Thread: its shard's. The Context must outlive it.
// Source: RFC 8446, RFC 5246, RFC 7301 (ALPN), RFC 6066 (server name, stapling).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ringwall/tls/context.h>

struct WOLFSSL;

namespace ringwall::tls {

// Receives ciphertext to send, in order. The bytes are borrowed for the call.
class Output {
 public:
  virtual void append(std::span<const std::byte> ciphertext) = 0;

 protected:
  ~Output() = default;
};

enum class Progress : std::uint8_t {
  need_input,  // all of `in` is consumed and more is needed
  done,        // handshake: complete. read: the plaintext buffer is full, call again before asking for input
  closed,      // the client's close_notify came: no more plaintext (RFC 8446 section 6.1)
  failed,      // failure() says why; an alert, where one is due, was appended to the Output
};

enum class FailureReason : std::uint8_t {
  none,
  plain_http,               // HTTP on the TLS port; nothing was consumed from `in` in this call, nothing was sent
  not_tls,                  // other bytes that are no TLS record
  protocol_version,         // the client offers neither TLS 1.2 nor 1.3
  no_shared_cipher,         // no AEAD suite with ECDHE, group or signature algorithm in common
  no_application_protocol,  // the client's ALPN list has no http/1.1
  certificate_refused,      // the client's alert says that it does not accept our certificate
  peer_alert,               // another fatal alert of the client
  renegotiation,            // a second ClientHello on TLS 1.2
  bad_record,               // a record that does not decrypt
  malformed,                // anything else that breaks the protocol
  hello_too_large,          // the ClientHello passes client_hello_bytes_max
  internal,                 // memory or wolfSSL failed
};

// A stable word for logs and metrics: "plain_http", "no_shared_cipher" ...
[[nodiscard]] std::string_view name(FailureReason reason);

struct Failure {
  FailureReason reason = FailureReason::none;
  std::optional<std::uint8_t> alert_sent;  // AlertDescription, RFC 8446 section 6
  std::optional<std::uint8_t> alert_received;
  std::string text;  // for the log: what was found
};

// The handshake message and its record headers. Browsers with a post-quantum key share send about 1,800.
inline constexpr std::size_t client_hello_bytes_max = 16 * 1024;
inline constexpr std::size_t record_plaintext_bytes_max = 16 * 1024;  // RFC 8446 section 5.1

class Stream {
 public:
  explicit Stream(const Context& context);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // need_input, done or failed. (A client that gives up sends an alert: failed.)
  [[nodiscard]] Progress handshake(std::span<const std::byte>& in, Output& out);

  // Decrypts into `plaintext` (not empty) and sets `n` to the bytes written, which count whatever the result.
  // need_input: `in` is empty, and a partial record may be held. Bytes after a close_notify stay in `in`.
  [[nodiscard]] Progress read(std::span<const std::byte>& in, std::span<std::byte> plaintext, std::size_t& n,
                              Output& out);

  // Encrypts all of it, in records of up to record_plaintext_bytes_max. False: failed.
  [[nodiscard]] bool write(std::span<const std::byte> plaintext, Output& out);

  // Sends close_notify, once; waits for nothing. Without effect before the handshake is done and after a failure.
  void close(Output& out);

  [[nodiscard]] const Failure& failure() const { return failure_; }

  // Of the ClientHello, lower case, valid once it has been read; empty when there was none.
  [[nodiscard]] std::string_view server_name() const { return server_name_; }
  // Valid once the handshake is done.
  [[nodiscard]] std::string_view version() const;      // "TLSv1.3"
  [[nodiscard]] std::string_view cipher_name() const;  // "TLS_AES_128_GCM_SHA256"
  [[nodiscard]] std::string_view alpn() const;         // "http/1.1" or empty
  [[nodiscard]] bool resumed() const;
  [[nodiscard]] const Identity& certificate() const;  // the one that was chosen

 private:
  static int receive(WOLFSSL* ssl, char* to, int size, void* stream);
  static int send(WOLFSSL* ssl, char* from, int size, void* stream);

  [[nodiscard]] Progress take_hello(std::span<const std::byte>& in, Output& out);
  [[nodiscard]] Progress begin(const ClientHello& hello, Output& out);
  Progress fail(FailureReason reason, std::string text);
  Progress fail_with_alert(FailureReason reason, std::uint8_t alert, std::string text, Output& out);
  Progress fail_from_wolfssl(int result);

  const Context& context_;
  WOLFSSL* ssl_ = nullptr;  // made when the ClientHello is complete
  const Context::Entry* entry_ = nullptr;
  std::vector<std::byte> hello_;  // records of the ClientHello; [hello_read_, end) is still to be given to wolfSSL
  std::size_t hello_read_ = 0;
  std::span<const std::byte>* in_ = nullptr;  // set for the time of a call only
  Output* out_ = nullptr;
  std::string server_name_;
  Failure failure_;
  bool ready_ = false;  // the handshake is done
  bool close_sent_ = false;
};

}  // namespace ringwall::tls
