// inspect.h: the calls in a client's message, read as the node reads them or not at all.
//
// One Inspector a shard, used on its thread. All its memory is allocated when it is made; a message costs none.
//
// The whole text is read, to its last byte: UTF-8, the strict grammar of RFC 8259, one object or an array of them. An
// Inspection tells all calls; what is wrong with one call makes it `invalid` (MethodTable::decide() denies it under
// every policy), what is wrong with the message makes it a BadMessage. Both fail closed: whatever the node might read
// as a call that is not told here under the same name and at the same place, is one of the two.
//
// Odd but valid params pass: they are checked for grammar and looked at no further (1e999, integers of any length, lone
// surrogates, depth up to `depth_max`). Positional calls in a batch (["2.0",1,"m",[]], which serde reads as a struct),
// repeated members, names of members with escapes, and ids other than null, a string or a u64 make a call invalid; a
// method's name may have escapes, and is told without them.
//
// Source: jsonrpsee (server/src/server.rs, handle_rpc_call; types/src/request.rs) and serde_json, tried with both.
#pragma once

#include <ringwall/limits.h>
#include <ringwall/rpc/call.h>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string_view>

namespace ringwall::rpc {

// Codes of JSON-RPC 2.0, section 5.1, and of substrate.
enum class Code : std::int32_t {
  parse_error = -32700,
  invalid_request = -32600,
  method_not_found = -32601,
  rate_exceeded = -32999,
};

// Nothing in the message can be told apart: it is answered as a whole, with id null.
struct BadMessage {
  Code code = Code::parse_error;  // or invalid_request: an empty batch, one over the bounds
  std::string_view why;           // a string literal: the answer's message
  bool is_long_batch = false;     // of more calls than Inspector::Bounds::calls_max
};

// Valid until the next inspect(), and no longer than the text.
struct Inspection {
  bool is_batch = false;
  std::span<const Call> calls;  // at least one; exactly one unless `is_batch`
};

class Inspector {
 public:
  struct Bounds {
    std::uint32_t calls_max = batch_calls_max;
    std::uint32_t depth_max = 64 * 1024;            // brackets open at once; a node's methods refuse params over 128
    std::uint32_t unescaped_bytes_max = 16 * 1024;  // of all methods with escapes in one message
  };

  // Memory that an Inspector of these bounds holds, in bytes: from its making, at all times.
  static std::size_t bytes_held(const Bounds& bounds);

  explicit Inspector(const Bounds& bounds);

  [[nodiscard]] std::expected<Inspection, BadMessage> inspect(std::span<const char> text);

 private:
  Bounds bounds_;
  std::unique_ptr<Call[]> calls_;
  std::unique_ptr<std::uint64_t[]> nesting_;  // a bit a level: set in an object, clear in an array
  std::unique_ptr<char[]> unescaped_;
};

}  // namespace ringwall::rpc
