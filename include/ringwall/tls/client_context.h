// client_context.h: what the TLS connections of a client have in common, and a session that is resumed.
//
// TLS 1.2 and 1.3 with the suites and groups of the server side (context.h), ALPN http/1.1; no client certificates.
// Source: RFC 8446 section 4.6.1 and RFC 5077 (tickets), RFC 5280 (chains).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <ringwall/error.h>

struct WOLFSSL_CTX;
struct WOLFSSL_SESSION;

namespace ringwall::tls {

inline constexpr const char* system_ca_file = "/etc/ssl/certs/ca-certificates.crt";  // of Debian's ca-certificates

enum class VersionsOffered : std::uint8_t { any, only_tls12, only_tls13 };

struct ClientSettings {
  VersionsOffered versions = VersionsOffered::any;
  bool verify = true;                    // otherwise any certificate is accepted
  std::string ca_file = system_ca_file;  // PEM; who may have signed it. A self-signed certificate may stand for itself
  bool resume = false;                   // its handshakes may be given a ClientSession
};

// Immutable after load(); must outlive its handshakes and sessions. Threads: any, at once.
class ClientContext {
 public:
  // Errors are sentences for who runs the client.
  [[nodiscard]] static Result<std::unique_ptr<ClientContext>> load(const ClientSettings& settings);
  ~ClientContext();
  ClientContext(const ClientContext&) = delete;
  ClientContext& operator=(const ClientContext&) = delete;

  [[nodiscard]] const ClientSettings& settings() const { return settings_; }

 private:
  friend class ClientHandshake;

  explicit ClientContext(const ClientSettings& settings) : settings_(settings) {}

  ClientSettings settings_;
  WOLFSSL_CTX* wolfssl_ = nullptr;
};

// A session with one server, under one name: empty until a handshake that was given it has got a ticket, from then on
// what the handshakes that are given it offer to resume, any number of them. Where the ticket has run out the next one
// gets another. Owner: a thread; it outlives those handshakes.
class ClientSession {
 public:
  ClientSession() = default;
  ~ClientSession();
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;

  [[nodiscard]] bool is_ready() const { return session_ != nullptr; }

 private:
  friend class ClientHandshake;

  void keep(WOLFSSL_SESSION* session);  // null: none

  WOLFSSL_SESSION* session_ = nullptr;
};

}  // namespace ringwall::tls
