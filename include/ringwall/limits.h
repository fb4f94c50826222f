// limits.h: what a peer may send at most, each with its unit and reason. What an operator may set is in the
// configuration instead; what bounds one mechanism stands beside it.
//
// A bound that a peer can reach has an answer: the comment names the HTTP status or close code.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ringwall::http {

// One message head, with its start line, in bytes: 431 (502 in a node's answer). nginx takes 4 x 8 KiB, browsers
// send 2.
inline constexpr std::size_t head_bytes_max = 16 * 1024;
// A request target, in bytes: 414. RFC 9112 section 3 asks for 8,000 at least.
inline constexpr std::size_t target_bytes_max = 8 * 1024;
// A method's name, in bytes: 501. The longest registered one, UPDATEREDIRECTREF, has 17.
inline constexpr std::size_t method_bytes_max = 24;
// Field lines in a head: 431. They are kept inline, 32 bytes each.
inline constexpr std::size_t headers_max = 64;
// Options named in Connection: 400. Each is looked up in each field, so the product is what is bounded.
inline constexpr std::size_t connection_options_max = 16;
// Empty lines before a request line: 400. RFC 9112 section 2.2 asks to ignore at least one.
inline constexpr std::size_t leading_empty_lines_max = 2;
// Extensions of all chunks of one body, in bytes: 400. They are ignored, and nobody sends them but to make work.
inline constexpr std::size_t chunk_extension_bytes_max = 4 * 1024;
// Trailer section of a chunked body, in bytes: 431. It is checked and dropped.
inline constexpr std::size_t trailer_bytes_max = 4 * 1024;
// Sec-WebSocket-Protocol, in bytes: 400. Sessions keep it while the node is asked.
inline constexpr std::size_t websocket_protocols_bytes_max = 256;

// A message or body may take its timeout, and a second more for each so many bytes that have come: a line of 256 kbit/s
// finishes the largest, and who dribbles does not.
inline constexpr std::uint64_t upload_bytes_per_s_min = 32 * 1024;

static_assert(target_bytes_max < head_bytes_max);
static_assert(trailer_bytes_max < head_bytes_max);

}  // namespace ringwall::http
