// announce.h: what Ringwall says when it starts: where it serves, what its bounds are, what it does not do.
#pragma once

#include <ringwall/config/config.h>
#include <ringwall/server/bounds.h>

#include <cstddef>
#include <string>
#include <string_view>

namespace ringwall::server {

// Several lines, each ended. `offload` is those about TLS (offload.h).
[[nodiscard]] std::string announcement(const config::Config& config, const Bounds& bounds, std::size_t shards,
                                       std::string_view offload);

}  // namespace ringwall::server
