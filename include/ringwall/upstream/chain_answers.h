// chain_answers.h: what a node says of its chain, read from its answers.
//
// Pure functions over the JSON of one JSON-RPC answer to a call with id 1. It is untrusted: whatever is not as it
// should be is an error, whose sentence holds no text of the node's. Source: polkadot-sdk, sc-rpc-api's system::Health
// and chain_getHeader (a number is written in hexadecimal, and has 32 bits on all chains there are).
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace ringwall::upstream {

struct CallError {
  std::string text;
  bool is_unknown_method = false;  // -32601: the node is well, but of another kind
};

template <typename T>
using CallResult = std::expected<T, CallError>;

struct SystemHealth {
  std::uint32_t peers;
  bool is_syncing;
  bool should_have_peers;
};

[[nodiscard]] CallResult<SystemHealth> parse_system_health(std::string_view json);
// Of a header.
[[nodiscard]] CallResult<std::uint32_t> parse_block_number(std::string_view json);
// "0x" and 64 digits in hexadecimal.
[[nodiscard]] CallResult<std::string> parse_block_hash(std::string_view json);

}  // namespace ringwall::upstream
