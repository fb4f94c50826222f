// toml_reader.h: TOML text to a list of what it gives.
//
// Knows TOML and nothing of the schema. The text may be hostile: the parser's depth and the text's length are bounded,
// and what is wrong comes back as one problem with its line. Source: TOML 1.0.0.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include <ringwall/config/given.h>
#include <ringwall/config/problem.h>

namespace ringwall::config {

inline constexpr std::size_t key_parts_max = 16;

// In the order of the text; a table comes before what is in it. `file` is the name for places.
[[nodiscard]] std::expected<std::vector<Given>, Problem> read_toml(std::string_view text, const std::string& file);

// The line, from 1, of the first dotted key of more than key_parts_max parts; 0 if there is none. The parser makes a
// table of each part and frees them by recursion, so that one long line of "a.a.a." would take the whole stack.
[[nodiscard]] std::uint32_t line_of_deep_key(std::string_view text);

}  // namespace ringwall::config
