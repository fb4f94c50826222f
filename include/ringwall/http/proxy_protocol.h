// proxy_protocol.h: the PROXY header, by which a load balancer says whose connection it passes on; the receiver's side.
//
// Bytes in, the header's length and its source address out. The caller keeps the bytes and calls again with more of
// them until the header is whole; what follows it is the client's own stream (TLS or HTTP). No state, no allocation;
// any thread. Both versions are told apart by their first byte, and are never mistaken for TLS or HTTP; whether a
// header must be there is configured and not guessed.
//
// An answer never changes as bytes come: for every prefix it is "more" or what the whole gives. An error is a static
// sentence of what was found; the connection cannot be trusted then and is to be closed without an answer.
//
// Strict where two readers might differ: version 1 is one line of printable ASCII with single spaces and no leading
// zero; in version 2 what follows the addresses must be whole TLVs. They are skipped: the checksum among them (CRC32c)
// is not checked, since TCP has one, and who could forge an address could forge that too.
// Source: HAProxy's proxy-protocol.txt, sections 2.1 and 2.2.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string_view>

#include <ringwall/limits.h>

namespace ringwall::http {

// Of the connection that is passed on.
struct ProxySource {
  std::array<std::uint8_t, 16> address;  // IPv6 in network order, IPv4 mapped
  std::uint16_t port;

  friend bool operator==(const ProxySource&, const ProxySource&) = default;
};

// Bytes consumed: all of the header; 0: not complete yet, nothing consumed. `source` is set only with the former, and
// is none when the header names no address of TCP: version 1's UNKNOWN, version 2's LOCAL (the balancer itself, asking
// after our health), UNSPEC, UDP and UNIX. The connection counts as its peer's then.
[[nodiscard]] std::expected<std::size_t, std::string_view> parse_proxy_header(std::string_view bytes,
                                                                              std::optional<ProxySource>& source);

}  // namespace ringwall::http
