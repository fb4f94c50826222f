#include <ringwall/http/field.h>

#include <algorithm>

namespace ringwall::http {
namespace {

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

constexpr bool is_space(char c) { return c == ' ' || c == '\t'; }

}  // namespace

bool same_letters(std::string_view a, std::string_view b) { return std::ranges::equal(a, b, {}, lower, lower); }

bool starts_ignoring_case(std::string_view text, std::string_view start) {
  return text.size() >= start.size() && equals_ignoring_case(text.substr(0, start.size()), start);
}

bool is_token(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_token_char); }

// Without an early end, and with a byte for the sum, the compiler takes 16 characters at a time: half of a head's cost.
bool is_field_text(std::string_view text) {
  unsigned char bad = 0;
  for (const char c : text) bad |= !is_field_char(c);
  return bad == 0;
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<std::string_view> take_list_member(std::string_view& list) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    const std::string_view member = trim(list.substr(0, comma));
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
    if (!member.empty()) return member;
  }
  return std::nullopt;
}

bool list_has(std::string_view list, std::string_view token) {
  while (const auto member = take_list_member(list)) {
    if (equals_ignoring_case(*member, token)) return true;
  }
  return false;
}

std::optional<std::string_view> FieldList::find(std::string_view name) const {
  for (const Header& field : all()) {
    if (equals_ignoring_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::size_t FieldList::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(all(), [name](const Header& field) { return equals_ignoring_case(field.name, name); }));
}

bool FieldList::lists(std::string_view name, std::string_view token) const {
  return std::ranges::any_of(all(), [name, token](const Header& field) {
    return equals_ignoring_case(field.name, name) && list_has(field.value, token);
  });
}

bool FieldList::add(Header field) {
  if (count_ == fields_.size()) return false;
  fields_[count_++] = field;
  return true;
}

}  // namespace ringwall::http
