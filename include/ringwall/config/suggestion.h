// suggestion.h: the known name nearest to a mistyped one.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace ringwall::config {

// By edit distance (Levenshtein), at most a third of the name; nothing if none is that near. Bounded: names of more
// than 64 bytes are near to nothing.
[[nodiscard]] std::optional<std::string> nearest(std::string_view name, std::span<const std::string> known);

}  // namespace ringwall::config
