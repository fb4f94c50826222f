// kept_certificate.h: the self-signed certificate that Ringwall makes once and then keeps, so that a browser that has
// accepted it need not be asked again.
//
// Programs that start together on one folder agree on one pair: a lock of the folder (flock(2)) is held while they look
// and make.
#pragma once

#include <ringwall/error.h>
#include <ringwall/tls/certificate.h>

#include <cstdint>
#include <string>
#include <vector>

namespace ringwall::server {

struct Kept {
  tls::Identity identity;  // as it was checked: what is served, whatever becomes of the files
  std::string notice;      // for the operator: why another one was made, or could not be; empty: nothing to tell
};

// The pair in `state_dir` for these names: what is there, unless it is unusable, not valid yet or ends within a month;
// else a new one. What is valid is kept with a notice where a new one cannot be written.
[[nodiscard]] Result<Kept> keep_self_signed(const std::string& state_dir, const std::vector<std::string>& names,
                                            std::int64_t unix_now_s);

}  // namespace ringwall::server
