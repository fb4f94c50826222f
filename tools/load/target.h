// target.h: reads what the command line says of addresses: the endpoint's, and those that clients come from.
//
// Blocks while a name is looked up. Source: RFC 3986 section 3, RFC 6455 section 3, getaddrinfo(3).
#pragma once

#include <ringwall/error.h>

#include <string>
#include <string_view>
#include <vector>

#include "load/plan.h"

namespace ringwall::load {

// The URL alone: its addresses are still missing.
[[nodiscard]] Result<Target> parse_url(std::string_view url);

// Fills in the addresses. `family` is AF_INET or AF_INET6 where only those will do, else AF_UNSPEC.
[[nodiscard]] Result<void> resolve(Target& target, int family);

// ADDR, ADDR,ADDR… or NETWORK/BITS, of one family, with port 0; of a network all but its first and last address. That
// they are this machine's is not checked here.
[[nodiscard]] Result<std::vector<ring::SocketAddress>> parse_sources(std::string_view text);
inline constexpr std::size_t sources_max = 65'536;

// The first and the last of them can be bound: they are this machine's.
[[nodiscard]] Result<void> check_sources(const std::vector<ring::SocketAddress>& sources);

// "127.0.0.1:9944", "[::1]:9944".
[[nodiscard]] std::string address_text(const ring::SocketAddress& address);

}  // namespace ringwall::load
