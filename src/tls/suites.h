// suites.h: the cipher suites and groups of either side, in our order of preference.
#pragma once

#include "library.h"

namespace ringwall::tls {

[[nodiscard]] bool set_suites(WOLFSSL_CTX* context, bool tls13 = true);  // whether it may be TLS 1.3

}  // namespace ringwall::tls
