// stapling.h: the OCSP response of a file, given to clients that ask for it.
//
// wolfSSL has no call to staple a given response: a server asks the responder itself, through a callback, and checks
// what comes. So the callback hands it the file. Where its checks can't succeed (no issuer in the chain, certificate or
// response out of date) wolfSSL 5.5.4 fails the handshake or leaves a freed request behind, so that it must not be
// asked then: a Context keeps a second wolfSSL context for those times.
// Source: RFC 6066 section 8, RFC 8446 section 4.4.2.1.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <ringwall/tls/certificate.h>

#include "library.h"

namespace ringwall::tls {

// wolfSSL before 5.7.2 leaks for each TLS 1.3 client that asks, unless tools/bootstrap has patched it.
#if defined(RINGWALL_WOLFSSL_STAPLING_FREES) || LIBWOLFSSL_VERSION_HEX >= 0x05007002
inline constexpr bool staples_in_tls13 = true;
#else
inline constexpr bool staples_in_tls13 = false;
#endif

// Why wolfSSL would not staple the identity's response; empty when it would.
[[nodiscard]] std::optional<std::string> stapling_problem(Identity& identity);

// `identity` must outlive `context`, which is handed its response.
[[nodiscard]] bool set_stapling(WOLFSSL_CTX* context, Identity& identity);

// Whether now is within the dates of certificate and response, with a minute to spare.
[[nodiscard]] bool can_staple_at(const Identity& identity, std::int64_t unix_now_s);

}  // namespace ringwall::tls
