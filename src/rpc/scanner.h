// scanner.h: walks over JSON text and accepts exactly the grammar of RFC 8259, at any depth, without recursion.
//
// Borrows the text and the memory for the nesting. It looks at grammar alone: a number may have any size, and an
// escaped surrogate need not have its other half. That the text is UTF-8 is for the caller to know.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "json_text.h"

namespace ringwall::rpc::json {

class Scanner {
 public:
  enum class Status : std::uint8_t { ok, syntax, too_deep };

  struct String {
    std::string_view inside;  // between the quotes, as it stands
    bool has_escapes = false;
    bool ok = false;
  };

  // `nesting` has a bit for each level that may be open.
  Scanner(std::string_view text, std::span<std::uint64_t> nesting, std::uint32_t depth_max)
      : at_(text.data()), end_(text.data() + text.size()), nesting_(nesting), depth_max_(depth_max) {}

  const char* at() const { return at_; }
  bool at_end() const { return at_ == end_; }
  void skip_space() { at_ = json::skip_space(at_, end_); }

  // Whether the next byte is this one; if so it is passed.
  bool take(char byte) {
    if (at_ == end_ || *at_ != byte) return false;
    ++at_;
    return true;
  }

  // The same of a literal.
  template <std::size_t Size>
  bool take(const char (&literal)[Size]) {
    if (!begins_with(at_, end_, literal)) return false;
    at_ += Size - 1;
    return true;
  }

  bool is_next(char byte) const { return at_ != end_ && *at_ == byte; }

  String string();
  Status value();

 private:
  bool escape();
  bool scalar();
  bool number();
  bool literal(std::string_view word);
  bool key();

  const char* at_;
  const char* end_;
  std::span<std::uint64_t> nesting_;
  std::uint32_t depth_max_;
};

inline Scanner::String Scanner::string() {
  String string;
  if (!take('"')) return string;
  const char* const start = at_;
  for (;;) {
    at_ = find_special(at_, end_);
    if (at_ == end_) return string;
    if (*at_ == '"') break;
    if (*at_ != '\\' || !escape()) return string;
    string.has_escapes = true;
  }
  string.inside = {start, at_};
  string.ok = true;
  ++at_;
  return string;
}

}  // namespace ringwall::rpc::json
