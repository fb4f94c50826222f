// rpc_error.h: what a JSON-RPC error says, for a table: "-32601 Method not found". Any thread.
#pragma once

#include <string>
#include <string_view>

namespace ringwall::load {

// `message` is a whole answer, or the start of one; nothing in it is trusted, and what is no JSON is read as far as it
// goes. What is told steers no terminal (excerpt()) and is short. "an error" where it says neither code nor message.
// Source: JSON-RPC 2.0, section 5.1.
[[nodiscard]] std::string rpc_error_text(std::string_view message);

}  // namespace ringwall::load
