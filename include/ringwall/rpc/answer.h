// answer.h: what a message of the node is, told from its start and its end.
//
// Pure function, any thread, no allocation, nothing is trusted: a message that is not what a node writes is `unknown`,
// and is relayed all the same. Source: JSON-RPC 2.0, section 5; jsonrpsee writes the id after the result in some
// releases and before it in others.
#pragma once

#include <ringwall/limits.h>
#include <cstdint>
#include <span>
#include <string_view>

namespace ringwall::rpc {

struct Answer {
  enum class Kind : std::uint8_t {
    unknown,
    result,        // a response: `id`, and `value` if it is short
    error,         // a response: `id`
    notification,  // of a subscription: `method`, `subscription`
    batch,         // an array; not looked into
  };
  Kind kind = Kind::unknown;
  // As raw JSON text, in the bytes that were passed in; at most id_bytes_max.
  std::string_view id;
  // Of a result: the raw JSON text of a string, number or literal of at most short_result_bytes_max; otherwise empty.
  std::string_view value;
  // As it stands between its quotes; empty where it has escapes.
  std::string_view method;
  // Raw JSON text of the subscription's id (a string or number), empty if it does not stand in the head.
  std::string_view subscription;
  // Of a notification: what is in the head of the subscription's item, from the first byte of params.result (or
  // params.error) on; cut where the head ends.
  std::string_view item;
  bool item_is_error = false;
};

// `head` is the message's start, and all of it if `tail` is empty. Otherwise `tail` is its end; the two may overlap,
// and may be any size (answer_head_bytes_max and answer_tail_bytes_max are enough for what nodes write).
[[nodiscard]] Answer classify_answer(std::string_view head, std::string_view tail);

// Whether a notification is the last of its subscription: a transaction that has come to its end, a follow that
// stopped, a finite stream that is done, an error. Of another node's dialect: false, though there may never be another.
[[nodiscard]] bool ends_subscription(const Answer& notification);

}  // namespace ringwall::rpc
