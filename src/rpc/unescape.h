// unescape.h: a JSON string's characters, its escapes resolved, as UTF-8.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace ringwall::rpc::json {

// `inside` is what stands between the quotes, of valid grammar. The size of what was written to `out`; none if a
// surrogate stands alone, which no Unicode string can hold, or if `out` is too small.
std::optional<std::size_t> unescape(std::string_view inside, std::span<char> out);

}  // namespace ringwall::rpc::json
