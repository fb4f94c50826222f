// json_text.h: texts of others, as they may stand in JSON or on a terminal.
//
// Pure functions, any thread. Source: RFC 8259, section 7.
#pragma once

#include <string>
#include <string_view>

namespace ringwall::load {

// What stands between a JSON string's quotes.
[[nodiscard]] std::string json_escaped(std::string_view text);

// For messages and tables: no control characters (they would steer a terminal; those of Unicode turn
// the text around), no broken UTF-8, at most `bytes_max`
// bytes and then an ellipsis.
[[nodiscard]] std::string excerpt(std::string_view text, std::size_t bytes_max = 80);

}  // namespace ringwall::load
