// hex.h: bytes as Substrate's JSON writes them: "0x" and two lower-case digits a byte.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::devnode {

// The digits alone.
[[nodiscard]] std::string to_digits(std::span<const std::byte> bytes);

[[nodiscard]] std::string to_hex(std::span<const std::byte> bytes);

// Of "0x" and an even number of digits in either case; nothing for any other text.
[[nodiscard]] std::optional<std::vector<std::byte>> from_hex(std::string_view text);

}  // namespace ringwall::devnode
