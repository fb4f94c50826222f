// utf8.h: whether bytes are UTF-8 as RFC 3629 has it (no surrogates, nothing overlong, nothing over U+10FFFF).
#pragma once

#include <ringwall/ascii.h>
#include <simdjson.h>

#include <cstddef>
#include <span>
#include <string_view>

namespace ringwall::websocket {

inline bool is_utf8(std::span<const std::byte> bytes) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return is_ascii(text) || simdjson::validate_utf8(text.data(), text.size());
}

}  // namespace ringwall::websocket
