// address.h: the texts that name machines: addresses with ports, ranges, DNS names.
//
// Pure functions over text; no lookups. Sources: RFC 4291 section 2.2 (IPv6 text), RFC 4632 (prefixes), RFC 1123
// section 2.1 (names; an underscore is accepted since container networks use it), RFC 6125 section 6.4.3 (wildcards).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <ringwall/config/config.h>

namespace ringwall::config {

// The canonical form of an IPv4 or IPv6 literal without brackets; nothing if it is none.
[[nodiscard]] std::optional<std::string> parse_ip(std::string_view text);

// In lower case, without a final dot. Not an address: the last label has to hold something other than digits.
[[nodiscard]] std::optional<std::string> parse_dns_name(std::string_view text);

// A DNS name, or "*." and a DNS name.
[[nodiscard]] std::optional<std::string> parse_dns_pattern(std::string_view text);

// 1 to 65535.
[[nodiscard]] std::optional<std::uint16_t> parse_port(std::string_view text);

// "0.0.0.0:443", "[::1]:443", "*:443".
[[nodiscard]] std::optional<Endpoint> parse_bind_address(std::string_view text);

// "127.0.0.1:9944", "[::1]:9944", "node.internal:9944".
[[nodiscard]] std::optional<Endpoint> parse_peer_address(std::string_view text);

// "10.0.0.0/8", "fd00::/8", or one address. Bits after the prefix must be 0: "10.1.2.3/8" is more likely a mistake.
[[nodiscard]] std::optional<Cidr> parse_cidr(std::string_view text);

}  // namespace ringwall::config
