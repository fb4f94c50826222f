// big_endian.h: numbers as TLS writes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace ringwall::tls {

// The last to.size() bytes of `value`.
inline void write_big_endian(std::span<std::byte> to, std::uint64_t value) {
  for (std::size_t at = to.size(); at-- > 0; value >>= 8) to[at] = static_cast<std::byte>(value);
}

// From the last to 0.
inline void increment(std::span<std::byte> number) {
  for (std::size_t at = number.size(); at-- > 0;) {
    number[at] = static_cast<std::byte>(std::to_integer<unsigned>(number[at]) + 1);
    if (number[at] != std::byte{0}) return;
  }
}

}  // namespace ringwall::tls
