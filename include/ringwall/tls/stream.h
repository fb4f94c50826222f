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
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <ringwall/tls/client_hello.h>
#include <ringwall/tls/context.h>
#include <ringwall/tls/failure.h>

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
  failed,      // failure() says why; what alert there is (alert_sent) was appended to the Output
};

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
  // wolfSSL's callbacks; `stream` is the Stream.
  static int receive(WOLFSSL* ssl, char* to, int size, void* stream);
  static int send(WOLFSSL* ssl, char* from, int size, void* stream);
  // Lends `in` and `out` to the callbacks for the time of one call.
  class Lease;

  [[nodiscard]] Progress begin(Output& out);
  [[nodiscard]] Progress refuse(FailureReason reason, std::string text, std::optional<std::uint8_t> alert, Output& out);
  [[nodiscard]] Progress accept(std::span<const std::byte>& in, Output& out);
  [[nodiscard]] Progress fail_with(int error);
  [[nodiscard]] std::size_t input_left() const;
  void watch(std::span<const std::byte> given);
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
  bool answered_ = false;  // something of wolfSSL was sent
  bool ready_ = false;     // the handshake is done
  bool close_sent_ = false;
};

}  // namespace ringwall::tls
