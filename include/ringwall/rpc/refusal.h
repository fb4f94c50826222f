// refusal.h: the JSON-RPC answers that Ringwall gives in the node's place.
//
// Pure functions, any thread, no allocation. Each writes one whole JSON text into `out` and returns its size in bytes.
// What does not fit becomes a shorter answer with id null, never half an answer: `out` has refusal_bytes_max at least.
// Source: JSON-RPC 2.0, section 5; the texts of -32601 and -32999 are polkadot-sdk's.
#pragma once

#include <ringwall/limits.h>
#include <ringwall/rpc/call.h>
#include <ringwall/rpc/inspect.h>
#include <ringwall/rpc/method_table.h>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ringwall::rpc {

enum class Reason : std::uint8_t {
  unsafe_,          // -32601 RPC call is unsafe to be called externally
  not_offered,      // -32601
  invalid,          // -32600
  batch_refused,    // -32600: for the sake of another call of its batch
  cost_over_burst,  // -32600: dearer than may ever pass, so not to be tried again
  batch_too_long,   // -32600: nor is this
  rate_exceeded,    // -32999 with data.retry_after_ms
  limit_reached,    // -32999: when something of the client's has ended, it may be tried again
};

// What the answer to a denied call says; batch_refused for an allowed one.
Reason reason_of(Verdict verdict);

// The largest answer to one call, in bytes.
inline constexpr std::size_t refusal_bytes_max = 256 + id_bytes_max;

// What is enough for write_batch_refusal(), in bytes.
std::size_t batch_refusal_bytes_max(std::size_t calls);

std::size_t write_bad_message(std::span<char> out, const BadMessage& bad);

// A single call: nothing (0) for a notification.
std::size_t write_refusal(std::span<char> out, const Call& call, Reason reason, std::uint32_t retry_after_ms = 0);

// A batch refused whole: an answer to each call that is not a notification, in their order; nothing (0) if all are.
// There are as many reasons as calls.
std::size_t write_batch_refusal(std::span<char> out, std::span<const Call> calls, std::span<const Reason> reasons,
                                std::uint32_t retry_after_ms = 0);

// A call that is answered here: `result` is JSON text, and `out` has result.size() + refusal_bytes_max. Nothing (0) for
// a notification.
std::size_t write_result(std::span<char> out, const Call& call, std::string_view result);

}  // namespace ringwall::rpc
