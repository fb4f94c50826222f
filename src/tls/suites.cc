#include "suites.h"

#include <iterator>

namespace ringwall::tls {
namespace {

// AES first: hardware has it.
constexpr const char* suites =
    "TLS13-AES128-GCM-SHA256:TLS13-AES256-GCM-SHA384:TLS13-CHACHA20-POLY1305-SHA256:"
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";

}  // namespace

bool set_suites(WOLFSSL_CTX* context, bool tls13) {
  int groups[] = {WOLFSSL_ECC_X25519, WOLFSSL_ECC_SECP256R1};
  bool good =
      wolfSSL_CTX_set_cipher_list(context, suites) == WOLFSSL_SUCCESS &&
      (!tls13 || wolfSSL_CTX_set_groups(context, groups, static_cast<int>(std::size(groups))) == WOLFSSL_SUCCESS);
  for (const int group : groups) {
    good = good && wolfSSL_CTX_UseSupportedCurve(context, static_cast<word16>(group)) == WOLFSSL_SUCCESS;
  }
  return good;
}

}  // namespace ringwall::tls
