#include "stapling.h"

#include <memory>

#include "x509.h"

namespace ringwall::tls {
namespace {

constexpr std::int64_t margin_s = 60;
constexpr int ocsp_options = WOLFSSL_OCSP_URL_OVERRIDE | WOLFSSL_OCSP_NO_NONCE;
constexpr const char* ocsp_url = "file";  // whatever the certificate says: nothing is looked up

unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }

int on_ocsp(void* identity, const char*, int, unsigned char*, int, unsigned char** response) {
  std::string& der = static_cast<Identity*>(identity)->ocsp_der;
  *response = bytes(der);
  return static_cast<int>(der.size());
}

void on_ocsp_free(void*, unsigned char*) {}

// The chain after the leaf: wolfSSL verifies the leaf and the response with these.
std::string issuers(const Identity& identity) {
  std::string all;
  const auto blocks = read_pem(identity.chain_pem);
  for (std::size_t i = 1; i < blocks.size(); ++i) all += blocks[i].text;
  return all;
}

}  // namespace

std::optional<std::string> stapling_problem(Identity& identity) {
  std::string signers = issuers(identity);
  if (signers.empty()) return "the chain lacks the certificate's issuer, with which the response is verified";
  const std::unique_ptr<WOLFSSL_CERT_MANAGER, void (*)(WOLFSSL_CERT_MANAGER*)> manager(wolfSSL_CertManagerNew(),
                                                                                       wolfSSL_CertManagerFree);
  auto leaf = read_pem(identity.chain_pem).front().der;
  WOLFSSL_CERT_MANAGER* m = manager.get();
  if (!m || wolfSSL_CertManagerLoadCABuffer(m, bytes(signers), static_cast<long>(signers.size()),
                                            WOLFSSL_FILETYPE_PEM) != WOLFSSL_SUCCESS) {
    return "wolfSSL can't use the chain to verify the response";
  }
  if (wolfSSL_CertManagerEnableOCSP(m, ocsp_options) != WOLFSSL_SUCCESS ||
      wolfSSL_CertManagerSetOCSPOverrideURL(m, ocsp_url) != WOLFSSL_SUCCESS ||
      wolfSSL_CertManagerSetOCSP_Cb(m, on_ocsp, on_ocsp_free, &identity) != WOLFSSL_SUCCESS) {
    return "wolfSSL has no OCSP";
  }
  const int result = wolfSSL_CertManagerCheckOCSP(m, bytes(leaf), static_cast<int>(leaf.size()));
  if (result == WOLFSSL_SUCCESS) return std::nullopt;
  char text[WOLFSSL_MAX_ERROR_SZ] = {};
  wolfSSL_ERR_error_string_n(static_cast<unsigned long>(result), text, sizeof text);
  return std::string("wolfSSL's verdict on the response: ") + text;
}

bool set_stapling(WOLFSSL_CTX* context, Identity& identity) {
  std::string signers = issuers(identity);
  // The callback last: enabling sets one that asks the network.
  return wolfSSL_CTX_load_verify_buffer(context, bytes(signers), static_cast<long>(signers.size()),
                                        WOLFSSL_FILETYPE_PEM) == WOLFSSL_SUCCESS &&
         wolfSSL_CTX_SetOCSP_OverrideURL(context, ocsp_url) == WOLFSSL_SUCCESS &&
         wolfSSL_CTX_EnableOCSP(context, ocsp_options) == WOLFSSL_SUCCESS &&
         wolfSSL_CTX_EnableOCSPStapling(context) == WOLFSSL_SUCCESS &&
         wolfSSL_CTX_SetOCSP_Cb(context, on_ocsp, on_ocsp_free, &identity) == WOLFSSL_SUCCESS;
}

bool can_staple_at(const Identity& identity, std::int64_t unix_now_s) {
  return unix_now_s >= identity.not_before_s + margin_s && unix_now_s < identity.not_after_s - margin_s &&
         unix_now_s < identity.ocsp_next_update_s - margin_s;
}

}  // namespace ringwall::tls
