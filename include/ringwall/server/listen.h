// listen.h: the listening sockets: one a shard and address, spread by the kernel (SO_REUSEPORT).
#pragma once

#include <ringwall/config/config.h>
#include <ringwall/error.h>

#include <cstddef>
#include <vector>

namespace ringwall::server {

// `count` sockets bound to one address, and listening unless they are opened beside `inherited`; the caller owns them.
// An address that another program holds is an error here, although SO_REUSEPORT would let two processes of the same
// user share it.
//
// `inherited` listen there already: all of them are among the result, since clients may wait in the queue of each; so
// there may be more than `count`. There may be fewer where no more can be opened beside them (a port that only root may
// bind, or a socket that was opened without SO_REUSEPORT). The new ones among them do not listen yet: from then on the
// kernel gives them their share of the clients, who are lost if this process ends before it serves.
[[nodiscard]] Result<std::vector<int>> listen_on(const config::Endpoint& endpoint, std::size_t count,
                                                 std::vector<int> inherited = {});

// Of a socket of listen_on(), which may do so already.
[[nodiscard]] Result<void> begin_to_listen(int socket);

}  // namespace ringwall::server
