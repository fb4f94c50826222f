// authority.h: certificates made with OpenSSL: chains, odd keys, odd dates, OCSP responses.
#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ringwall::tls::test {

using Key = std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)>;
using Cert = std::unique_ptr<X509, void (*)(X509*)>;

Key ec_key(const char* curve = "P-256");
Key rsa_key(unsigned bits = 2048);
Key ed25519_key();

struct Wanted {
  std::string common_name = "leaf.example";
  std::string alt_names;  // "DNS:a.example,IP:127.0.0.1"; empty: no SAN
  long from_s = -3600;    // from now
  long until_s = 90 * 24 * 3600;
  bool ca = false;
};

// Signed by `issuer`, or by itself when that is null.
Cert issue(EVP_PKEY* key, const Wanted& wanted, X509* issuer = nullptr, EVP_PKEY* issuer_key = nullptr);

std::string pem(X509* certificate);
std::string pem(EVP_PKEY* key);              // PKCS#8
std::string traditional_pem(EVP_PKEY* key);  // "EC PRIVATE KEY", "RSA PRIVATE KEY"
std::string encrypted_pem(EVP_PKEY* key);

struct Status {
  int verdict = 0;  // V_OCSP_CERTSTATUS_GOOD
  long this_s = -60, next_s = 3600;
};
// DER of a response for `leaf`, signed by its issuer.
std::string ocsp_response(X509* leaf, X509* issuer, EVP_PKEY* issuer_key, const Status& status = {});

}  // namespace ringwall::tls::test
