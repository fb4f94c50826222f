#include "pattern.h"

#include <ringwall/limits.h>

#include <algorithm>

namespace ringwall::rpc {
namespace {

// What is wrong with it; empty if nothing is.
std::string_view fault_of(std::string_view pattern) {
  if (pattern.empty()) return "is empty: give a name, or the start of one and an asterisk (eth_*)";
  if (pattern.find('*') < pattern.size() - 1)
    return "has an asterisk before its end: only at the end it stands for a rest";
  return is_name(pattern) ? "" : "has a character that is in no method's name";
}

}  // namespace

bool is_name(std::string_view name) {
  return !name.empty() &&
         std::ranges::all_of(name, [](char byte) { return byte > ' ' && byte < 0x7F && byte != '"' && byte != '\\'; });
}

bool any_matches(const std::vector<std::string>& patterns, std::string_view name) {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) { return matches(pattern, name); });
}

Result<void> check_patterns(std::string_view list, const std::vector<std::string>& patterns) {
  if (patterns.size() > patterns_max) {
    return fail(std::string(list) + " has " + std::to_string(patterns.size()) + " entries, of at most " +
                std::to_string(patterns_max));
  }
  for (const std::string& pattern : patterns) {
    if (const auto fault = fault_of(pattern); !fault.empty()) {
      return fail(std::string(list) + ": \"" + pattern + "\" " + std::string(fault));
    }
  }
  return {};
}

}  // namespace ringwall::rpc
