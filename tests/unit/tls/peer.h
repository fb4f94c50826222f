// peer.h: OpenSSL as the other side, over memory, and the certificates that both sides use.
#pragma once

#include <openssl/ssl.h>
#include <ringwall/tls/context.h>
#include <ringwall/tls/handshake.h>
#include <ringwall/tls/key_schedules.h>
#include <ringwall/tls/records.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::tls::test {

inline std::span<const std::byte> as_bytes(std::string_view text) { return std::as_bytes(std::span(text)); }
inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// The seconds that the tests call now: the real ones, since wolfSSL and OpenSSL look at the clock.
std::int64_t now_s();

class Sent final : public Output {
 public:
  void append(std::span<const std::byte> ciphertext) override {
    bytes.insert(bytes.end(), ciphertext.begin(), ciphertext.end());
  }
  std::vector<std::byte> bytes;
};

// A folder of files that goes away.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string write(const std::string& name, std::string_view text) const;  // the path

  std::string path;
};

// Files of a self-signed certificate made with our own code.
enum class Kind { ecdsa, rsa };
Certificate certificate_for(const Folder& folder, std::vector<std::string> names, Kind kind = Kind::ecdsa);

struct Server {
  explicit Server(std::vector<Certificate> certificates, TicketTimes times = {});

  std::unique_ptr<TicketKeys> keys;
  std::shared_ptr<const Context> context;
};

struct ClientOptions {
  int version_min = TLS1_2_VERSION, version_max = TLS1_3_VERSION;
  const char* suites = nullptr;   // TLS 1.3, OpenSSL's names
  const char* ciphers = nullptr;  // TLS 1.2
  const char* groups = nullptr;
  const char* algorithms = nullptr;  // signature algorithms
  std::string server_name;
  std::vector<std::string> alpn;
  std::string trust_file;  // empty: any certificate is accepted
  SSL_SESSION* session = nullptr;
  bool ask_for_status = false;
  bool tickets = true;
  std::size_t block_padding = 0;  // of TLS 1.3 records
};

// A client of OpenSSL's. No call blocks; what is to be sent waits in out().
class Client {
 public:
  explicit Client(const ClientOptions& options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // False when the handshake failed. `done` when it is over.
  bool step();
  void receive(std::span<const std::byte> ciphertext);
  std::vector<std::byte> out();

  void send(std::string_view text);
  std::string read();  // all that is there
  void close();        // close_notify

  bool done = false;
  bool closed = false;  // the server's close_notify came
  bool failed = false;  // read() met an error
  int alert_received = -1;
  std::string error;
  std::string status;  // the stapled OCSP response
  std::vector<std::unique_ptr<SSL_SESSION, void (*)(SSL_SESSION*)>> sessions;
  SSL* ssl = nullptr;

 private:
  SSL_CTX* context_ = nullptr;
  BIO* from_server_ = nullptr;
  BIO* to_server_ = nullptr;
};

enum class Progress { need_input, done, closed, failed };

// Our side from the first byte to the last: a Handshake, then Records with its keys.
class Stream {
 public:
  explicit Stream(std::shared_ptr<const Context> context)
      : handshake_(std::make_unique<Handshake>(std::move(context))) {}

  [[nodiscard]] Progress handshake(std::span<const std::byte>& in, Output& out);
  // Sets `n` to the bytes written to `plaintext`. done: it is full, call again.
  [[nodiscard]] Progress read(std::span<const std::byte>& in, std::span<std::byte> plaintext, std::size_t& n,
                              Output& out);
  [[nodiscard]] bool write(std::span<const std::byte> plaintext, Output& out);
  void close(Output& out);
  void forget_handshake() { handshake_.reset(); }

  [[nodiscard]] const Failure& failure() const { return records_ ? records_->failure() : handshake_->failure(); }
  [[nodiscard]] std::string failure_text() const;
  [[nodiscard]] std::string_view server_name() const { return handshake_->server_name(); }
  [[nodiscard]] std::string_view version() const { return handshake_->version(); }
  [[nodiscard]] std::string_view cipher_name() const { return handshake_->cipher_name(); }
  [[nodiscard]] std::string_view alpn() const { return handshake_->alpn(); }
  [[nodiscard]] bool resumed() const { return handshake_->resumed(); }
  [[nodiscard]] const Identity& certificate() const { return handshake_->certificate(); }

 private:
  KeySchedules schedules_;
  std::unique_ptr<Handshake> handshake_;
  std::optional<Records> records_;
  std::string opened_;  // and not read yet
};

enum class End { both_done, server_failed, client_failed, stalled };

// Runs both sides until neither moves. `step_bytes`: how much the server is given at once.
End shake(Stream& stream, Client& client, std::size_t step_bytes = SIZE_MAX);

// What the client says to what the stream answers, in both directions, until nothing moves; returns what was read.
struct Heard {
  std::string by_server, by_client;
  Progress progress = Progress::need_input;
};
Heard talk(Stream& stream, Client& client, std::size_t step_bytes = SIZE_MAX);

// The common name and the kind of key that the client was shown.
std::string shown_name(const Client& client);
std::string shown_key(const Client& client);  // "EC" or "RSA"

}  // namespace ringwall::tls::test
