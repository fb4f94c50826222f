#include "load/rpc_error.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>

#include "load/json_text.h"

namespace ringwall::load {

namespace {

constexpr std::size_t code_bytes_max = 24;
constexpr std::size_t text_bytes_max = 120;
constexpr std::size_t raw_bytes_max = 6 * text_bytes_max;  // an escape is six bytes
constexpr std::string_view space = " \t\r\n";
constexpr std::string_view nothing = "an error";

std::size_t skip_space(std::string_view text, std::size_t at) {
  return std::min(text.find_first_not_of(space, at), text.size());
}

// Past the string that begins at `at`, or the end of the text within it.
std::size_t skip_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return text.size();
}

std::size_t skip_value(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  while (at < text.size()) {
    const char byte = text[at];
    const bool closes = byte == '}' || byte == ']';
    if (depth == 0 && (closes || byte == ',')) return at;
    if (byte == '{' || byte == '[') ++depth;
    if (closes) --depth;
    at = byte == '"' ? skip_string(text, at) : at + 1;
  }
  return at;
}

// What stands between the quotes of the string that `raw` begins with: up to a cut, and as many whole escapes and other
// bytes as are ever told.
std::string_view string_inside(std::string_view raw) {
  std::size_t at = 1;
  while (at < std::min(raw.size(), raw_bytes_max) && raw[at] != '"') {
    const bool is_escape = raw[at] == '\\';
    const std::size_t bytes = !is_escape ? 1 : raw.substr(at).starts_with("\\u") ? 6 : 2;
    if (at + bytes > raw.size()) break;
    at += bytes;
  }
  return raw.substr(1, at - 1);
}

std::string_view trimmed(std::string_view text) { return text.substr(0, text.find_last_not_of(space) + 1); }

// The raw text of a member of the object that `object` begins with; empty: there is none.
std::string_view member(std::string_view object, std::string_view key) {
  if (!object.starts_with('{')) return {};
  for (std::size_t at = 1; at < object.size(); ++at) {
    at = skip_space(object, at);
    if (at == object.size() || object[at] != '"') return {};
    const std::size_t key_end = skip_string(object, at);
    const std::string_view found = string_inside(object.substr(at, key_end - at));
    at = skip_space(object, key_end);
    if (at == object.size() || object[at] != ':') return {};
    at = skip_space(object, at + 1);
    const std::size_t end = skip_value(object, at);
    if (found == key) return trimmed(object.substr(at, end - at));
    at = end;
    if (at == object.size() || object[at] != ',') return {};
  }
  return {};
}

// A string's characters; with escapes that are none, or where it is no string: as it stands.
std::string words(std::string_view raw) {
  if (!raw.starts_with('"')) return excerpt(raw, text_bytes_max);
  // As it stands it may have raw control characters and broken UTF-8, which simdjson refuses.
  const std::string plain = excerpt(string_inside(raw), raw_bytes_max);
  simdjson::dom::parser parser;
  std::string_view text = plain;
  (void)parser.parse('"' + plain + '"').get(text);
  return excerpt(text, text_bytes_max);
}

}  // namespace

std::string rpc_error_text(std::string_view message) {
  const std::string_view error = member(message.substr(skip_space(message, 0)), "error");
  const bool is_object = error.starts_with('{');
  const std::string code = is_object ? excerpt(member(error, "code"), code_bytes_max) : "";
  const std::string text = words(is_object ? member(error, "message") : error);
  if (code.empty() && text.empty()) return std::string(nothing);
  return code.empty() || text.empty() ? code + text : fmt::format("{} {}", code, text);
}

}  // namespace ringwall::load
