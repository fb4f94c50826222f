#include <ringwall/rpc/unsubscribe.h>

#include "skip.h"

namespace ringwall::rpc {
namespace {

// Empty unless the object has exactly one member.
std::string_view only_member(std::string_view object) {
  const char* const end = object.data() + object.size();
  const char* at = json::skip_space(object.data() + 1, end);
  if (at == end || *at != '"') return {};
  at = json::find_quote(at + 1, end);
  if (at == nullptr) return {};
  at = json::skip_space(at + 1, end);
  if (at == end || *at != ':') return {};
  at = json::skip_space(at + 1, end);
  const char* const value_end = json::skip_value(at, end);
  if (value_end == nullptr) return {};
  const char* const after = json::skip_space(value_end, end);
  return after != end && *after == '}' ? std::string_view(at, value_end) : std::string_view();
}

}  // namespace

bool is_subscription_id(std::string_view value) {
  return !value.empty() && (value[0] == '"' || value[0] == '-' || json::is_digit(value[0]));
}

std::string_view subscription_in(std::string_view params) {
  const std::string_view value = params.starts_with('{') ? only_member(params) : json::element(params, 0);
  return is_subscription_id(value) ? value : std::string_view();
}

}  // namespace ringwall::rpc
