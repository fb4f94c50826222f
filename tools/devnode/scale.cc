#include "devnode/scale.h"

#include <ringwall/check.h>

namespace ringwall::devnode {

void append_little_endian(std::vector<std::byte>& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t index = 0; index < bytes; ++index) out.push_back(static_cast<std::byte>(value >> (8 * index)));
}

void append_compact(std::vector<std::byte>& out, std::uint32_t value) {
  RINGWALL_CHECK(value < 1U << 30);
  if (value < 1U << 6) return append_little_endian(out, value << 2, 1);
  if (value < 1U << 14) return append_little_endian(out, value << 2 | 1, 2);
  append_little_endian(out, value << 2 | 2, 4);
}

}  // namespace ringwall::devnode
