// call.h: one call of a client's message, as the node would read it.
//
// A value of views: into the message it was found in and into the Inspector's scratch. Source: JSON-RPC 2.0, section 4;
// jsonrpsee, which ignores a call without an id (it is a notification, and no method of a node is one).
#pragma once

#include <cstdint>
#include <string_view>

namespace ringwall::rpc {

// What an answer carries as id where the call's own cannot be told, as raw JSON text.
inline constexpr std::string_view null_id = "null";

struct Call {
  enum class Form : std::uint8_t {
    call,          // has a valid id: the node executes it and answers
    notification,  // has no id: it is never answered
    invalid,       // the node refuses or ignores it, or might read it otherwise than Ringwall: never forwarded
  };
  Form form = Form::invalid;
  // Unescaped. Of an invalid call: empty, or what could be told.
  std::string_view method;
  // As raw JSON text, quotes and escapes as they stood; at most id_bytes_max. Empty exactly for a notification;
  // `null_id` if an invalid call's cannot be told.
  std::string_view id;
  // As raw JSON text of any kind, without the space around it. Empty: none were given.
  std::string_view params;
};

}  // namespace ringwall::rpc
