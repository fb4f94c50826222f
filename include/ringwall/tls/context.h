// context.h: what every TLS connection of one listener has in common: certificates, suites, groups, ticket keys.
//
// TLS 1.2 and 1.3, ECDHE (X25519, P-256) with AEAD suites only; no renegotiation, compression, 0-RTT or client
// certificates; ALPN http/1.1. The certificate is chosen from the ClientHello: those whose names cover the server name
// (exact before wildcard; the first one for an unknown or missing name), of these the first that the client can verify.
//
// Owner: a shard, one per listener; immutable after load(). Thread: its shard's once it is there, which any other may
// have made. A reload puts a new one in its place, and the last Handshake of the old one lets that go.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <ringwall/error.h>
#include <ringwall/tls/certificate.h>
#include <ringwall/tls/ticket_keys.h>

namespace ringwall::tls {

struct ClientHello;

struct Settings {
  std::vector<Certificate> certificates;  // the first is the default; at least one, of these
  std::vector<Identity> identities;       // or of these, which were read before and come after them
};

class Context {
 public:
  // `keys` must outlive the Context. Errors are sentences for the operator (see certificate.h).
  [[nodiscard]] static Result<std::unique_ptr<Context>> load(const Settings& settings, TicketKeys& keys,
                                                             std::int64_t unix_now_s);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  // For the operator, at start: one sentence each (see certificate.h, warnings()).
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }
  [[nodiscard]] std::size_t certificate_count() const { return entries_.size(); }
  [[nodiscard]] const Identity& certificate(std::size_t index) const;

 private:
  friend class Handshake;
  struct Entry;

  Context();
  [[nodiscard]] const Entry& choose(const ClientHello& hello) const;

  std::vector<std::unique_ptr<Entry>> entries_;
  std::vector<std::string> warnings_;
};

}  // namespace ringwall::tls
