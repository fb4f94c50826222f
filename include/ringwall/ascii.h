// ascii.h: whether text is ASCII, and so UTF-8 without more being asked: as nearly all JSON-RPC is.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace ringwall {

[[nodiscard]] inline bool is_ascii(std::string_view text) {
  using Vector = std::uint64_t __attribute__((vector_size(16)));
  const char* at = text.data();
  std::size_t left = text.size();
  Vector seen = {};
  for (; left >= sizeof seen; at += sizeof seen, left -= sizeof seen) {
    Vector bytes;
    std::memcpy(&bytes, at, sizeof bytes);
    seen |= bytes;
  }
  std::uint64_t word = seen[0] | seen[1];
  for (; left > 0; ++at, --left) word |= static_cast<unsigned char>(*at);
  return (word & 0x8080'8080'8080'8080) == 0;
}

}  // namespace ringwall
