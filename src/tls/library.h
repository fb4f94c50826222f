// library.h: wolfSSL's one-time start.
#pragma once

#include <wolfssl/options.h>

#include <wolfssl/ssl.h>

namespace ringwall::tls {

// Before any other call into wolfSSL; cheap when done. False: wolfSSL can't start (a self-test failed, no entropy).
[[nodiscard]] inline bool start_library() {
  static const bool started = wolfSSL_Init() == WOLFSSL_SUCCESS;
  return started;
}

}  // namespace ringwall::tls
