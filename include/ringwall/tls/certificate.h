// certificate.h: a certificate chain with its private key, read and checked before a listener uses them.
//
// Accepts what people have: PEM chains (leaf first, as certbot's fullchain.pem) and PEM keys in PKCS#8, "RSA PRIVATE
// KEY" or "EC PRIVATE KEY" form, the last also behind "EC PARAMETERS" (openssl ecparam -genkey). Errors name the file,
// what was found and what would be right.
//
// Owner: Context, or a configuration check that throws it away. Read at start and reload, on any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ringwall/error.h>

namespace ringwall::tls {

// Where a certificate lies. `ocsp_file` may be empty; else a DER OCSP response for the leaf (openssl ocsp -respout).
struct Certificate {
  std::string chain_file;
  std::string key_file;
  std::string ocsp_file;
};

enum class KeyKind : std::uint8_t { ecdsa, rsa };

struct Identity {
  Certificate files;
  std::string chain_pem;  // leaf first
  std::string key_pem;
  std::string ocsp_der;                // empty: nothing is stapled
  std::vector<std::string> names;      // lower-case DNS names of the leaf's SAN ("*.example.org" too); its CN if no SAN
  std::vector<std::string> addresses;  // IP addresses of the SAN, as text
  KeyKind key_kind = KeyKind::ecdsa;
  std::uint32_t key_bits = 0;
  std::int64_t not_before_s = 0;  // Unix time
  std::int64_t not_after_s = 0;
  bool self_signed = false;             // issuer and subject are equal
  std::int64_t ocsp_next_update_s = 0;  // when the OCSP response goes out of date; 0: there is none
  std::vector<std::string> notes;       // what warnings() repeats: an incomplete or unordered chain ...
};

// Reads and checks the files: readable PEM, an unencrypted key that fits the leaf, the leaf first, a key of a kind and
// size that TLS can use (RSA of 2048 bits or more, ECDSA on P-256 or P-384).
[[nodiscard]] Result<Identity> load_identity(const Certificate& files);

// What the operator should know but that does not keep the listener from starting: expired, not yet valid, expiring
// within 14 days, no name that a client could ask for, a key that every account may read, an OCSP response that is out
// of date.
[[nodiscard]] std::vector<std::string> warnings(const Identity& identity, std::int64_t unix_now_s);

// Of those, that it has expired or will within 14 days.
[[nodiscard]] std::optional<std::string> expiry_warning(const Identity& identity, std::int64_t unix_now_s);

// "2026-11-30 08:00 UTC".
[[nodiscard]] std::string day(std::int64_t unix_s);

// True when `pattern` (a lower-case name of a certificate) covers `host` (lower case). A wildcard stands for exactly
// one whole leftmost label (RFC 6125 section 6.4.3, RFC 9525 section 6.3).
[[nodiscard]] bool name_matches(std::string_view pattern, std::string_view host);

}  // namespace ringwall::tls
