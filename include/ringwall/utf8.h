// utf8.h: characters of foreign bytes, one after the other. Pure. Source: RFC 3629 sections 3 and 4.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace ringwall::utf8 {

struct Character {
  std::optional<char32_t> code;  // none: a byte that begins no character
  std::size_t bytes;
};

// Of the sequence that `lead` begins; 0: it begins none.
constexpr std::size_t sequence_bytes(std::uint8_t lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;
  return lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
}

constexpr bool is_continuation(std::uint8_t byte) { return (byte & 0xC0) == 0x80; }

// Overlong forms, surrogates and what is beyond U+10FFFF are no characters.
constexpr Character first_character(std::string_view bytes) {
  const auto lead = static_cast<std::uint8_t>(bytes[0]);
  const std::size_t length = sequence_bytes(lead);
  if (length == 1) return {lead, 1};
  if (length == 0 || length > bytes.size()) return {std::nullopt, 1};
  char32_t code = lead & (0x7Fu >> length);
  for (std::size_t at = 1; at < length; ++at) {
    const auto byte = static_cast<std::uint8_t>(bytes[at]);
    if (!is_continuation(byte)) return {std::nullopt, 1};
    code = (code << 6) | (byte & 0x3Fu);
  }
  constexpr std::array<char32_t, 5> least = {0, 0, 0x80, 0x800, 0x10000};
  const bool is_surrogate = code >= 0xD800 && code <= 0xDFFF;
  if (code < least[length] || is_surrogate || code > 0x10FFFF) return {std::nullopt, 1};
  return {code, length};
}

}  // namespace ringwall::utf8
