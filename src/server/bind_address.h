// bind_address.h: an endpoint as bind(2) takes it. Pure.
#pragma once

#include <ringwall/config/config.h>

#include <netinet/in.h>
#include <sys/socket.h>

namespace ringwall::server {

struct BindAddress {
  sockaddr_storage storage{};
  socklen_t bytes = 0;
};

// An empty host is every address of both families: IPv6's, for a socket without IPV6_V6ONLY.
[[nodiscard]] BindAddress bind_address(const config::Endpoint& endpoint);

}  // namespace ringwall::server
