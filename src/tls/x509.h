// x509.h: the facts of a certificate, an OCSP response and a PEM file that the checks at load time need.
//
// Reads files of the operator. What a certificate is worth is for the client to judge: no signature is checked here.
// Source: RFC 5280 section 4, RFC 6960 section 4.2.1, RFC 7468.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ringwall/tls/certificate.h>

namespace ringwall::tls {

struct CertificateFacts {
  std::string serial;           // content of the INTEGER
  std::string issuer, subject;  // DER, to be compared
  std::int64_t not_before_s = 0, not_after_s = 0;
  std::vector<std::string> names;      // lower case: of the SAN, or the CN where there is no SAN
  std::vector<std::string> addresses;  // of the SAN, as text
  std::optional<KeyKind> key_kind;     // none: a kind of key that is not supported
  std::uint32_t key_bits = 0;          // RSA: of the modulus; ECDSA: of the curve, 0 when it is neither P-256 nor P-384
};

struct OcspFacts {
  std::string serial;
  std::int64_t this_update_s = 0;
  std::int64_t next_update_s = 0;  // 0: it does not say
  bool good = false;
};

struct PemBlock {
  std::string label;  // "CERTIFICATE"
  std::string text;   // with its BEGIN and END lines
  std::string der;    // empty when the base64 in it can't be read
  bool encrypted = false;
};

[[nodiscard]] std::optional<CertificateFacts> read_certificate(std::string_view der);
// Of a successful response (RFC 6960 section 4.2.1); the first certificate in it counts.
[[nodiscard]] std::optional<OcspFacts> read_ocsp_response(std::string_view der);
[[nodiscard]] std::vector<PemBlock> read_pem(std::string_view text);

}  // namespace ringwall::tls
