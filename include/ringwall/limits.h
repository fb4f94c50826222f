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

namespace ringwall::rpc {

// White space before a message, in bytes: -32700. jsonrpsee looks this far for the first bracket.
inline constexpr std::size_t leading_space_bytes_max = 127;
// A call's id as raw JSON text, in bytes: such a call is answered -32600 with id null. It is echoed, and kept while the
// call is in flight; a UUID in quotes has 38.
inline constexpr std::size_t id_bytes_max = 128;
// A method's name that is written with escapes, in bytes unescaped: -32600. The longest known one has 38.
inline constexpr std::size_t escaped_method_bytes_max = 256;
// Names and prefixes that one list of the configuration may hold: told at start.
inline constexpr std::size_t patterns_max = 1024;
// The result of an answer that is kept to be looked at (a subscription's id, an unsubscribe's true), in bytes as raw
// JSON text. What is longer is none of those. polkadot-sdk's ids have 18.
inline constexpr std::size_t short_result_bytes_max = 128;
// How much of a node's message is looked at from its start and from its end, in bytes.
inline constexpr std::size_t answer_head_bytes_max = 1024;
inline constexpr std::size_t answer_tail_bytes_max = 256;

static_assert(answer_tail_bytes_max > id_bytes_max + 16);

}  // namespace ringwall::rpc
