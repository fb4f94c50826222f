// kept_certificate.h: the self-signed certificate that Ringwall makes once and then keeps, so that a browser that has
// accepted it need not be asked again.
#pragma once

#include <ringwall/error.h>
#include <ringwall/tls/certificate.h>

#include <cstdint>
#include <string>
#include <vector>

namespace ringwall::server {

// The files in `state_dir` for these names: what is there, unless it is unusable or ends within a month; else new ones.
[[nodiscard]] Result<tls::Certificate> keep_self_signed(const std::string& state_dir,
                                                        const std::vector<std::string>& names, std::int64_t unix_now_s);

}  // namespace ringwall::server
