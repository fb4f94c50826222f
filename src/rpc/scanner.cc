#include "scanner.h"

#include <ringwall/check.h>

#include <cstddef>

namespace ringwall::rpc::json {
namespace {

bool is_hex(char byte) { return is_digit(byte) || (byte >= 'a' && byte <= 'f') || (byte >= 'A' && byte <= 'F'); }

const char* skip_digits(const char* at, const char* end) {
  while (at != end && is_digit(*at)) ++at;
  return at;
}

class Nesting {
 public:
  explicit Nesting(std::span<std::uint64_t> bits) : bits_(bits) {}

  std::uint32_t depth() const { return depth_; }
  bool in_object() const { return (bits_[(depth_ - 1) / 64] >> (depth_ - 1) % 64 & 1) != 0; }

  void open(bool object) {
    const std::uint64_t bit = std::uint64_t{1} << depth_ % 64;
    if (object) {
      bits_[depth_ / 64] |= bit;
    } else {
      bits_[depth_ / 64] &= ~bit;
    }
    ++depth_;
  }

  void close() { --depth_; }

 private:
  std::span<std::uint64_t> bits_;
  std::uint32_t depth_ = 0;
};

}  // namespace

bool Scanner::escape() {
  ++at_;  // the backslash
  if (at_ == end_) return false;
  const char kind = *at_++;
  if (kind != 'u') return std::string_view("\"\\/bfnrt").contains(kind);
  if (end_ - at_ < 4) return false;
  for (const char* const hex_end = at_ + 4; at_ != hex_end; ++at_) {
    if (!is_hex(*at_)) return false;
  }
  return true;
}

bool Scanner::literal(std::string_view word) {
  if (static_cast<std::size_t>(end_ - at_) < word.size() || std::string_view(at_, word.size()) != word) return false;
  at_ += word.size();
  return true;
}

bool Scanner::number() {
  take('-');
  if (!take('0')) {
    const char* const digits_end = skip_digits(at_, end_);
    if (digits_end == at_) return false;
    at_ = digits_end;
  }
  if (take('.')) {
    const char* const digits_end = skip_digits(at_, end_);
    if (digits_end == at_) return false;
    at_ = digits_end;
  }
  if (take('e') || take('E')) {
    if (!take('+')) take('-');
    const char* const digits_end = skip_digits(at_, end_);
    if (digits_end == at_) return false;
    at_ = digits_end;
  }
  return true;
}

bool Scanner::scalar() {
  switch (*at_) {
    case '"':
      return string().ok;
    case 't':
      return literal("true");
    case 'f':
      return literal("false");
    case 'n':
      return literal("null");
    default:
      return number();
  }
}

// A member's name and its colon, up to the value.
bool Scanner::key() {
  if (!string().ok) return false;
  skip_space();
  if (!take(':')) return false;
  skip_space();
  return true;
}

Scanner::Status Scanner::value() {
  RINGWALL_CHECK(nesting_.size() * 64 >= depth_max_);
  Nesting nesting(nesting_);
  for (;;) {
    if (at_end()) return Status::syntax;
    const char first = *at_;
    if (first == '{' || first == '[') {
      const bool object = first == '{';
      if (nesting.depth() == depth_max_) return Status::too_deep;
      ++at_;
      skip_space();
      if (!take(object ? '}' : ']')) {
        nesting.open(object);
        if (object && !key()) return Status::syntax;
        continue;
      }
    } else if (!scalar()) {
      return Status::syntax;
    }
    // A value has ended; with it may end what it stands in.
    for (;;) {
      if (nesting.depth() == 0) return Status::ok;
      skip_space();
      if (take(',')) break;
      if (!take(nesting.in_object() ? '}' : ']')) return Status::syntax;
      nesting.close();
    }
    skip_space();
    if (nesting.in_object() && !key()) return Status::syntax;
  }
}

}  // namespace ringwall::rpc::json
