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
// A PROXY header of version 1, with its CRLF, in bytes: closed. The longest that there can be.
inline constexpr std::size_t proxy_line_bytes_max = 107;
// A PROXY header of version 2, in bytes: closed. What balancers add to the 52 bytes of IPv6 (names, the identity of a
// TLS client) has some hundred.
inline constexpr std::size_t proxy_header_bytes_max = 4 * 1024;

// A message or body may take its timeout, and a second more for each so many bytes that have come: a line of 256 kbit/s
// finishes the largest, and who dribbles does not.
inline constexpr std::uint64_t upload_bytes_per_s_min = 32 * 1024;

static_assert(target_bytes_max < head_bytes_max);
static_assert(trailer_bytes_max < head_bytes_max);

}  // namespace ringwall::http

namespace ringwall::rpc {

// Calls in one batch: -32600. What is set below it (limits.batch_calls_max) is the operator's.
inline constexpr std::size_t batch_calls_max = 1024;
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

namespace ringwall::quota {

// Cost units a second that a rate may be, and that one without limit counts with: two million normal calls. Virtual
// time (pace.h) then lasts 28 years without a restart.
inline constexpr std::uint64_t units_per_second_max = 10'000'000;
// Cost units at once: no burst, no call and no debt is larger.
inline constexpr std::uint64_t burst_units_max = 1ULL << 40;
// Places where an address's entry may be. Half of a table full, 4 in 1,000 buckets have no room; a quarter full, 1 in a
// million. Who finds none shares the overflow entry.
inline constexpr std::size_t bucket_ways = 16;
// Entries of a table, each 64 bytes.
inline constexpr std::size_t table_entries_min = 1ULL << 8;
inline constexpr std::size_t table_entries_max = 1ULL << 26;
// Handles on one entry at once: the next one gets the overflow entry. 16 times the ports that an address has.
inline constexpr std::uint64_t handles_per_entry_max = (1ULL << 20) - 1;
// Tries to change a word that others change too: then the answer is a refusal, or the overflow entry.
inline constexpr int contended_tries_max = 64;
// For how long an entry was idle before another address gets it, in nanoseconds. A shard's clock may be that far behind
// another's, which is some turns, and no debt is forgotten.
inline constexpr std::uint64_t reuse_after_ns = 250'000'000;
// Cost units that a shard takes of the machine's rate at once. At most a hundredth of a second's.
inline constexpr std::uint64_t machine_slice_units_max = 10'000;
// Ranges of addresses that are exempt. Each is looked at when a client comes.
inline constexpr std::size_t exempt_ranges_max = 256;

}  // namespace ringwall::quota
