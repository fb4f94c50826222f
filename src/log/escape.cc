#include <ringwall/log/escape.h>
#include <ringwall/utf8.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>

namespace ringwall::log {

namespace {

constexpr std::string_view ellipsis = "…";

// Those below U+0080 are judged apart.
bool steers(char32_t code) {
  return code <= 0x9F || code == 0x61C || (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202E) ||
         (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF || (code >= 0xFFF9 && code <= 0xFFFB) ||
         (code >= 0xE0000 && code <= 0xE007F);
}

bool is_control(char32_t code) { return code < 0x20 || code == 0x7F; }

void append_hex(std::string& out, std::uint32_t number, std::size_t digits_min) {
  std::array<char, 8> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number, 16);
  const auto count = static_cast<std::size_t>(end - digits.data());
  out.append(digits_min > count ? digits_min - count : 0, '0').append(digits.data(), count);
}

// JSON has UTF-16's units.
void append_json_unit(std::string& out, std::uint32_t unit) {
  out += "\\u";
  append_hex(out, unit, 4);
}

void append_json_code(std::string& out, char32_t code) {
  if (code < 0x10000) return append_json_unit(out, code);
  append_json_unit(out, 0xD800 + ((code - 0x10000) >> 10));
  append_json_unit(out, 0xDC00 + ((code - 0x10000) & 0x3FF));
}

void append_text_control(std::string& out, char32_t code) {
  if (code == '\n') {
    out += "\\n";
  } else if (code == '\r') {
    out += "\\r";
  } else if (code == '\t') {
    out += "\\t";
  } else {
    out += "\\x";
    append_hex(out, code, 2);
  }
}

// A prefix of at most so many bytes that cuts no character in two.
std::string_view cut(std::string_view bytes, std::size_t bytes_max) {
  if (bytes.size() <= bytes_max) return bytes;
  std::size_t end = bytes_max;
  for (int back = 0; back < 3 && end > 0 && utf8::is_continuation(static_cast<std::uint8_t>(bytes[end])); ++back) --end;
  return bytes.substr(0, end);
}

void append_text(std::string& out, std::string_view bytes, std::size_t bytes_max, bool in_quotes) {
  const std::string_view kept = cut(bytes, bytes_max);
  for (std::string_view left = kept; !left.empty();) {
    const auto [code, length] = utf8::first_character(left);
    if (!code) {
      out += "\\x";
      append_hex(out, static_cast<std::uint8_t>(left[0]), 2);
    } else if (is_control(*code)) {
      append_text_control(out, *code);
    } else if (*code == '\\' || (in_quotes && *code == '"')) {
      out += '\\';
      out += left[0];
    } else if (*code >= 0x80 && steers(*code)) {
      out += "\\u{";
      append_hex(out, *code, 1);
      out += '}';
    } else {
      out.append(left.substr(0, length));
    }
    left.remove_prefix(length);
  }
  if (kept.size() < bytes.size()) out += ellipsis;
}

bool is_plain_word(std::string_view bytes) {
  return !bytes.empty() &&
         std::ranges::all_of(bytes, [](char c) { return c > 0x20 && c < 0x7F && c != '"' && c != '=' && c != '\\'; });
}

}  // namespace

void append_sentence(std::string& out, std::string_view bytes, std::size_t bytes_max) {
  append_text(out, bytes, bytes_max, false);
}

void append_value(std::string& out, std::string_view bytes, std::size_t bytes_max) {
  if (bytes.size() <= bytes_max && is_plain_word(bytes)) {
    out += bytes;
    return;
  }
  out += '"';
  append_text(out, bytes, bytes_max, true);
  out += '"';
}

void append_json(std::string& out, std::string_view bytes, std::size_t bytes_max) {
  const std::string_view kept = cut(bytes, bytes_max);
  out += '"';
  for (std::string_view left = kept; !left.empty();) {
    const auto [code, length] = utf8::first_character(left);
    if (!code) {
      append_json_unit(out, 0xFFFD);
    } else if (*code == '"' || *code == '\\') {
      out += '\\';
      out += left[0];
    } else if (*code == '\n') {
      out += "\\n";
    } else if (is_control(*code) || (*code >= 0x80 && steers(*code))) {
      append_json_code(out, *code);
    } else {
      out.append(left.substr(0, length));
    }
    left.remove_prefix(length);
  }
  if (kept.size() < bytes.size()) out += ellipsis;
  out += '"';
}

}  // namespace ringwall::log
