// tls_client.h: a client's TLS 1.3 handshake, by OpenSSL over memory, and the keys that it ends with.
//
// Only while connections are made: their records are then sealed and opened with tls::Records, which need 256 bytes a
// connection where OpenSSL needs 50 KB. Owner: one simulated client. Source: RFC 8446 section 7,
// SSL_CTX_set_keylog_callback(3).
#pragma once

#include <openssl/ssl.h>
#include <ringwall/tls/keys.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::bench {

class TlsClient {
 public:
  TlsClient();
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;
  ~TlsClient();

  // Takes what the server has sent and appends what it is to get.
  void step(std::span<const std::byte> from_server, std::vector<std::byte>& to_server);
  [[nodiscard]] bool is_done() const { return SSL_is_init_finished(ssl_) == 1; }
  void write(std::string_view text, std::vector<std::byte>& to_server);  // one record
  [[nodiscard]] std::string read();                                      // all that is there

  // From here on, after so many records of data in each direction.
  [[nodiscard]] tls::Keys keys(std::uint64_t records_sent, std::uint64_t records_received) const;

 private:
  static void on_secret(const SSL* ssl, const char* line);
  static int on_ticket(SSL* ssl, SSL_SESSION* session);
  static SSL_CTX* context();
  void take_out(std::vector<std::byte>& to_server);

  SSL* ssl_;
  std::array<std::byte, 32> client_secret_{}, server_secret_{};
  std::uint64_t tickets_ = 0;
};

}  // namespace ringwall::bench
