// raw_json.h: the values of a JSON text as they were written, which a parser does not keep.
//
// Only for text that a parser has accepted: nothing is validated here. Views point into the text.
#pragma once

#include <string_view>

namespace ringwall::devnode {

// Takes the next value off `text`, with the space, comma or colon before it; empty when none is left.
[[nodiscard]] std::string_view take_raw_value(std::string_view& text);

// What stands between the brackets of an array or object.
[[nodiscard]] std::string_view raw_inside(std::string_view value);

}  // namespace ringwall::devnode
