// access.h: which Host and Origin are let in, and what a browser is told of it.
//
// As a node does it: unless any host is allowed, Host must be localhost, 127.0.0.1 or [::1] with the port, and the
// origins of this machine and of the Polkadot.js Apps are named in the answers.
// Source: sc-rpc-server's host_filtering and try_into_cors, tower-http's CorsLayer.
#pragma once

#include <ringwall/http/writer.h>

#include <cstdint>
#include <string_view>

namespace ringwall::devnode {

[[nodiscard]] bool is_local_host(std::string_view host, std::uint16_t port);

// Of this machine, on any port, or of the Polkadot.js Apps.
[[nodiscard]] bool is_known_origin(std::string_view origin);

// The CORS fields of an answer. `origin` is empty if the request named none.
void write_cors(http::HeadWriter& writer, std::string_view origin, bool allow_any, bool is_preflight);

}  // namespace ringwall::devnode
