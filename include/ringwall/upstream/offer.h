// offer.h: the methods that a node says it has, asked for once over HTTP.
//
// ask_offer() blocks its thread, for no longer than it is told, and ends at once when `stop_event` is readable. What a
// node says is untrusted: names that no method has (anything but letters, digits, `_`, `-` and `.`, or over the bound)
// are dropped, and an answer over the other bounds is an error. An Error's sentence holds no text of the node's.
// Source: jsonrpsee, RpcModule::rpc_methods: {"methods":[names]}.
#pragma once

#include <ringwall/error.h>
#include <ringwall/upstream/reply.h>
#include <ringwall/upstream/target.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::upstream {

inline constexpr std::size_t offered_methods_max = 4096;
inline constexpr std::size_t offered_name_bytes_max = 128;

// Names, sorted, each once. Never empty.
using Offer = std::vector<std::string>;

// Of an answer that is whole.
[[nodiscard]] Result<Offer> offer_of(const ReplyReader& reply);

// The offer in a JSON-RPC answer to the call that ask_offer() sends.
[[nodiscard]] Result<Offer> parse_offer(std::string_view json);

// Tries the addresses of `target` in their order until one takes the connection. `timeout_ms` is for all of it.
[[nodiscard]] Result<Offer> ask_offer(const Target& target, int stop_event, std::uint32_t timeout_ms);

}  // namespace ringwall::upstream
