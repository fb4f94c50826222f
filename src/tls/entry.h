// entry.h: one certificate of a Context, with the wolfSSL contexts that serve it.
#pragma once

#include <memory>

#include <ringwall/tls/context.h>

#include "library.h"

namespace ringwall::tls {

struct FreeContext {
  void operator()(WOLFSSL_CTX* context) const { wolfSSL_CTX_free(context); }
};

struct Context::Entry {
  // For a connection that begins now: the stapling one while its dates hold.
  [[nodiscard]] WOLFSSL_CTX* wolfssl_for(bool tls13) const;

  Identity identity;
  std::unique_ptr<WOLFSSL_CTX, FreeContext> wolfssl;
  std::unique_ptr<WOLFSSL_CTX, FreeContext> stapling;  // none where there is no OCSP response, or no use in it
};

}  // namespace ringwall::tls
