// entry.h: one certificate of a Context, with the wolfSSL context that serves it.
#pragma once

#include <memory>

#include <ringwall/tls/context.h>

#include "library.h"

namespace ringwall::tls {

struct FreeContext {
  void operator()(WOLFSSL_CTX* context) const { wolfSSL_CTX_free(context); }
};

struct Context::Entry {
  Identity identity;
  std::unique_ptr<WOLFSSL_CTX, FreeContext> wolfssl;
};

}  // namespace ringwall::tls
