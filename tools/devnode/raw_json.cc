#include "devnode/raw_json.h"

#include <ringwall/check.h>

#include <algorithm>

namespace ringwall::devnode {

namespace {

// `at` is on the opening quote; the result is past the closing one.
std::size_t string_end(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

std::size_t nested_end(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = string_end(text, at);
      continue;
    }
    ++at;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && --depth == 0) break;
  }
  return at;
}

}  // namespace

std::string_view take_raw_value(std::string_view& text) {
  const std::size_t start = text.find_first_not_of(" \t\r\n,:");
  if (start == std::string_view::npos) {
    text = {};
    return {};
  }
  text.remove_prefix(start);
  const char first = text.front();
  const std::size_t end = first == '"'                   ? string_end(text, 0)
                          : first == '{' || first == '[' ? nested_end(text, 0)
                                                         : std::min(text.find_first_of(",:]} \t\r\n"), text.size());
  const std::string_view value = text.substr(0, end);
  text.remove_prefix(end);
  return value;
}

std::string_view raw_inside(std::string_view value) {
  const std::size_t first = value.find_first_of("[{");
  const std::size_t last = value.find_last_of("]}");
  RINGWALL_CHECK(first != std::string_view::npos && last != std::string_view::npos && first < last);
  return value.substr(first + 1, last - first - 1);
}

}  // namespace ringwall::devnode
