// listen.h: the listening sockets: one a shard and address, spread by the kernel (SO_REUSEPORT).
#pragma once

#include <ringwall/config/config.h>
#include <ringwall/error.h>

#include <cstddef>
#include <vector>

namespace ringwall::server {

// `count` sockets bound to one address and listening; the caller owns them. An address that another program holds is
// an error here, although SO_REUSEPORT would let two processes of the same user share it.
[[nodiscard]] Result<std::vector<int>> listen_on(const config::Endpoint& endpoint, std::size_t count);

}  // namespace ringwall::server
