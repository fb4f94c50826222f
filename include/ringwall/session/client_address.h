// client_address.h: who a client is: for the node, for the log and for per-address bounds.
//
// Pure functions. Source: RFC 4291 section 2.5.5.2 (IPv4 mapped), RFC 7239 section 5.2, and the convention of
// X-Forwarded-For: each proxy appends the peer it saw.
#pragma once

#include <ringwall/config/config.h>
#include <ringwall/http/head.h>
#include <ringwall/ring/backend.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::session {

// IPv6 in network order, IPv4 mapped.
using AddressBytes = std::array<std::uint8_t, 16>;

[[nodiscard]] AddressBytes address_bytes(const ring::SocketAddress& address);
[[nodiscard]] std::optional<AddressBytes> parse_address(std::string_view text);
// "192.0.2.1" or "2001:db8::1".
[[nodiscard]] std::string to_text(const AddressBytes& address);

// 127.0.0.0/8 and ::1.
[[nodiscard]] bool is_loopback(const AddressBytes& address);

// What one client's share is counted by: an IPv4 address whole, an IPv6 address by its /64.
[[nodiscard]] AddressBytes share_key(const AddressBytes& address);

[[nodiscard]] bool is_in(const AddressBytes& address, const std::vector<config::Cidr>& ranges);

struct ClientOrigin {
  AddressBytes address;
  bool https;
};

// `peer` and `https` as the socket knows them, unless the peer is a trusted proxy: then the rightmost address of
// X-Forwarded-For that is not one, and X-Forwarded-Proto.
[[nodiscard]] ClientOrigin client_origin(const AddressBytes& peer, bool https, const http::RequestHead& head,
                                         const std::vector<config::Cidr>& trusted);

}  // namespace ringwall::session
