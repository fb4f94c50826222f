// pattern.h: how the configuration names methods: by name, or by its start and an asterisk.
#pragma once

#include <ringwall/error.h>

#include <string>
#include <string_view>
#include <vector>

namespace ringwall::rpc {

inline bool is_prefix(std::string_view pattern) { return pattern.ends_with('*'); }

inline bool matches(std::string_view pattern, std::string_view name) {
  return is_prefix(pattern) ? name.starts_with(pattern.substr(0, pattern.size() - 1)) : name == pattern;
}

// Whether it can be a method's name: printable ASCII that stands in JSON text as it is.
bool is_name(std::string_view name);

bool any_matches(const std::vector<std::string>& patterns, std::string_view name);

// `list` is how the configuration calls it.
Result<void> check_patterns(std::string_view list, const std::vector<std::string>& patterns);

}  // namespace ringwall::rpc
