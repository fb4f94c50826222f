// utf8.h: whether bytes are UTF-8 as RFC 3629 has it (no surrogates, nothing overlong, nothing over U+10FFFF).
#pragma once

#include <simdjson.h>

#include <cstddef>
#include <span>

namespace ringwall::websocket {

inline bool is_utf8(std::span<const std::byte> bytes) {
  return bytes.empty() || simdjson::validate_utf8(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

}  // namespace ringwall::websocket
