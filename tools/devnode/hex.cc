#include "devnode/hex.h"

namespace ringwall::devnode {

namespace {

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void append_digits(std::string& text, std::span<const std::byte> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  text.reserve(text.size() + 2 * bytes.size());
  for (const std::byte value : bytes) {
    text += digits[std::to_integer<std::size_t>(value >> 4)];
    text += digits[std::to_integer<std::size_t>(value & std::byte{15})];
  }
}

}  // namespace

std::string to_digits(std::span<const std::byte> bytes) {
  std::string text;
  append_digits(text, bytes);
  return text;
}

std::string to_hex(std::span<const std::byte> bytes) {
  std::string text = "0x";
  append_digits(text, bytes);
  return text;
}

std::optional<std::vector<std::byte>> from_hex(std::string_view text) {
  if (!text.starts_with("0x") || text.size() % 2 != 0) return std::nullopt;
  text.remove_prefix(2);
  std::vector<std::byte> bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t at = 0; at < text.size(); at += 2) {
    const int high = digit_value(text[at]);
    const int low = digit_value(text[at + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<std::byte>(high * 16 + low));
  }
  return bytes;
}

}  // namespace ringwall::devnode
