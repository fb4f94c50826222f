// library.h: wolfSSL's headers, as the library was built, and its one-time start. Include no wolfSSL header before it.
#pragma once

// wolfSSL's configure keeps this for itself, and without it its headers lay out keys differently where it has no
// assembly: a key of ours would be smaller than the library takes it for.
#if defined(__SIZEOF_INT128__) && !defined(HAVE___UINT128_T)
#define HAVE___UINT128_T 1  // NOLINT(bugprone-reserved-identifier): wolfSSL's name
#endif

#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

namespace ringwall::tls {

// Before any other call into wolfSSL; cheap when done. False: wolfSSL can't start (a self-test failed, no entropy).
[[nodiscard]] inline bool start_library() {
  static const bool started = wolfSSL_Init() == WOLFSSL_SUCCESS;
  return started;
}

}  // namespace ringwall::tls
