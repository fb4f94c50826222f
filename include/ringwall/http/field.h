// field.h: the grammar that HTTP fields are made of: tokens, values, comma lists, and a bounded list of fields.
//
// Pure functions over views; nothing is kept, nothing is allocated. A FieldList belongs to a head and views the bytes
// that the head was parsed from.
// Source: RFC 9110 sections 5.5, 5.6.1, 5.6.2 and 5.1 (names compare without regard to case).
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include <ringwall/limits.h>

namespace ringwall::http {

struct Header {
  std::string_view name, value;
};

namespace characters {
inline constexpr std::array<bool, 256> token = [] {
  std::array<bool, 256> table{};
  for (std::size_t c = '0'; c <= '9'; ++c) table[c] = true;
  for (std::size_t c = 'a'; c <= 'z'; ++c) table[c] = table[c - 'a' + 'A'] = true;
  for (const char c : std::string_view("!#$%&'*+-.^_`|~")) table[static_cast<unsigned char>(c)] = true;
  return table;
}();
}  // namespace characters

// tchar: what names, methods and tokens are made of.
[[nodiscard]] inline bool is_token_char(char c) { return characters::token[static_cast<unsigned char>(c)]; }

// What may stand in a field's value: visible ASCII, bytes from 0x80, space and tab. No NUL, CR, LF.
[[nodiscard]] inline bool is_field_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
}

// For texts of one length.
[[nodiscard]] bool same_letters(std::string_view a, std::string_view b);

// ASCII only, as HTTP's names and tokens are. Most names differ in length already.
[[nodiscard]] inline bool equals_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() && same_letters(a, b);
}

// As equals_ignoring_case, for the first bytes of `text`.
[[nodiscard]] bool starts_ignoring_case(std::string_view text, std::string_view start);

// 1*tchar.
[[nodiscard]] bool is_token(std::string_view text);

// Only field characters. Empty is fine.
[[nodiscard]] bool is_field_text(std::string_view text);

// Without the spaces and tabs at both ends.
[[nodiscard]] std::string_view trim(std::string_view text);

// Takes the next non-empty member off a comma list, trimmed; nothing when the list is done. Quoted strings are not
// understood: use it for lists of tokens only.
[[nodiscard]] std::optional<std::string_view> take_list_member(std::string_view& list);

// True when the comma list has `token` as a member, in any case.
[[nodiscard]] bool list_has(std::string_view list, std::string_view token);

class FieldList {
 public:
  [[nodiscard]] std::span<const Header> all() const { return {fields_.data(), count_}; }

  // The value of the first field of that name; nothing when there is none (an empty value is not nothing).
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;

  [[nodiscard]] std::size_t count(std::string_view name) const;

  // True when any field of that name, read as a comma list, has `token`.
  [[nodiscard]] bool lists(std::string_view name, std::string_view token) const;

  // False when the list is full (headers_max).
  [[nodiscard]] bool add(Header field);

 private:
  std::array<Header, headers_max> fields_{};
  std::size_t count_ = 0;
};

}  // namespace ringwall::http
