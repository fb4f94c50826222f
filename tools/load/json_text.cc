#include "load/json_text.h"

#include <fmt/core.h>
#include <simdjson.h>

namespace ringwall::load {

namespace {

// Of the character that valid UTF-8 begins with, where it is beyond ASCII and is not shown but steers what is: C1
// controls, marks of direction, separators of lines, the byte order mark. Otherwise 0.
std::size_t steering_bytes(std::string_view text) {
  const auto is_from = [&](std::string_view first, std::string_view last) {
    const std::string_view character = text.substr(0, first.size());
    return character >= first && character <= last;
  };
  if (is_from("\u0080", "\u009f") || is_from("\u061c", "\u061c")) return 2;
  return is_from("\u200b", "\u200f") || is_from("\u2028", "\u202e") || is_from("\u2060", "\u2069") ||
                 is_from("\ufeff", "\ufeff")
             ? 3
             : 0;
}

}  // namespace

std::string json_escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char byte : text) {
    if (byte == '"' || byte == '\\') {
      out.append({'\\', byte});
    } else if (static_cast<unsigned char>(byte) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(byte));
    } else {
      out += byte;
    }
  }
  return out;
}

std::string excerpt(std::string_view text, std::size_t bytes_max) {
  const bool is_whole = text.size() <= bytes_max;
  text = text.substr(0, bytes_max);
  // Not within a character: its later bytes are 10xxxxxx.
  while (!is_whole && !text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80) text.remove_suffix(1);
  if (!is_whole && !text.empty() && (static_cast<unsigned char>(text.back()) & 0x80) != 0) text.remove_suffix(1);
  const bool is_utf8 = simdjson::validate_utf8(text.data(), text.size());
  std::string out;
  for (const char byte : text) {
    const auto code = static_cast<unsigned char>(byte);
    const bool is_plain = code >= 0x20 && code != 0x7F && (code < 0x80 || is_utf8);
    out += is_plain ? byte : '?';
  }
  for (std::size_t at = 0; is_utf8 && at < out.size(); ++at) {
    if (const std::size_t bytes = steering_bytes(std::string_view(out).substr(at)); bytes > 0)
      out.replace(at, bytes, "?");
  }
  return is_whole ? out : out + "…";
}

}  // namespace ringwall::load
