// client_handshake.h: the client side of one TLS handshake, by wolfSSL, over memory. See handshaker.h.
//
// The certificate is verified, if the context says so, against its authorities, the clock, and the server's name: a
// host name (sent as SNI too) or an IP address. What is wrong with it is said in failure_text().
//
// A handshake that is given a session which is not ready is done only when the server's ticket has come: in TLS 1.3
// that is after the handshake proper, so a server that issues none keeps it waiting, and the owner's timeout ends it.
// In TLS 1.2 the ticket, if any, comes before the end. Other tickets are for PostHandshake to ignore.
// A server that does not resume the session makes a full handshake. But in TLS 1.2 wolfSSL takes a ticket once offered
// for accepted (seen with 5.5.4), so there the handshake fails, and the session is forgotten.
//
// Owner: one connection; context and session outlive it. Thread: its shard's.
// Source: as handshaker.h; RFC 9525 (names in certificates), RFC 8446 section 4.6.1.
#pragma once

#include <ringwall/tls/client_context.h>
#include <ringwall/tls/handshaker.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

struct WOLFSSL_X509_STORE_CTX;  // NOLINT(readability-identifier-naming): wolfSSL's name

namespace ringwall::tls {

class ClientHandshake final : public Handshaker {
 public:
  // `server_name`: not empty; IPv6 without brackets. `session` (null: none) only where the context says `resume`.
  ClientHandshake(const ClientContext& context, std::string_view server_name, ClientSession* session = nullptr);

  [[nodiscard]] Progress advance(std::span<const std::byte>& in, Output& out) override;
  [[nodiscard]] Role role() const override { return Role::client; }

 private:
  // wolfSSL's callbacks. Whether the certificate at `chain->error_depth` is accepted; what is wrong goes to refusal_.
  static int judge(int good, WOLFSSL_X509_STORE_CTX* chain);
  static int note_ticket(WOLFSSL* ssl, const unsigned char* ticket, int size, void* handshake);

  [[nodiscard]] bool begin();
  [[nodiscard]] bool offer_session();
  [[nodiscard]] Progress connect();
  [[nodiscard]] Progress await_ticket();
  [[nodiscard]] Progress finish();
  [[nodiscard]] Progress fail(int error);
  [[nodiscard]] Progress fail(FailureReason reason, std::string text);
  [[nodiscard]] std::size_t read(std::span<std::byte> to) override;

  const ClientContext& context_;
  ClientSession* session_;
  std::string refusal_;               // why the server's certificate is not accepted
  std::uint64_t ticket_records_ = 0;  // since the handshake proper
  bool offers_session_ = false;
  bool awaits_ticket_ = false;
  bool ticket_came_ = false;
};

}  // namespace ringwall::tls
