// skip.h: steps over one value of JSON text without looking at what is in it.
//
// For text whose grammar somebody else has checked, or whose misreading does no harm. Nothing reads past `end`,
// whatever the text is.
#pragma once

#include <string_view>

#include "json_text.h"

namespace ringwall::rpc::json {

// `at` is behind the opening quote. Where the string's closing quote is; null if it is not in the text.
inline const char* find_quote(const char* at, const char* end) {
  for (;;) {
    at = find_special(at, end);
    if (at == end) return nullptr;
    if (*at == '"') return at;
    if (*at == '\\' && end - at < 2) return nullptr;
    at += *at == '\\' ? 2 : 1;
  }
}

inline bool ends_scalar(char byte) {
  return byte == ',' || byte == ']' || byte == '}' || byte == ':' || is_space(byte);
}

// Behind the value that starts at `at`; null if none does, or its end is not in the text. A number or literal at the
// very end counts as cut, since it might go on.
inline const char* skip_value(const char* at, const char* end) {
  if (at == end) return nullptr;
  if (*at != '"' && *at != '{' && *at != '[') {
    const char* const start = at;
    while (at != end && !ends_scalar(*at)) ++at;
    return at == start || at == end ? nullptr : at;
  }
  std::size_t depth = 0;
  for (; at != end; ++at) {
    if (*at == '"') {
      at = find_quote(at + 1, end);
      if (at == nullptr) return nullptr;
    } else if (*at == '{' || *at == '[') {
      ++depth;
    } else if (*at == '}' || *at == ']') {
      --depth;
    }
    if (depth == 0) return at + 1;
  }
  return nullptr;
}

// The element at `index` of a list, without the space around it; empty if the text is no list or has none there. What
// follows the element is not looked at.
inline std::string_view element(std::string_view list, std::size_t index) {
  const char* at = list.data();
  const char* const end = at + list.size();
  if (at == end || *at != '[') return {};
  for (++at;; ++at) {
    at = skip_space(at, end);
    const char* const value_end = skip_value(at, end);
    if (value_end == nullptr) return {};
    if (index == 0) return {at, value_end};
    --index;
    at = skip_space(value_end, end);
    if (at == end || *at != ',') return {};
  }
}

}  // namespace ringwall::rpc::json
