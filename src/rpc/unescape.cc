#include "unescape.h"

#include <cstdint>

namespace ringwall::rpc::json {
namespace {

constexpr std::uint32_t surrogates_start = 0xD800;
constexpr std::uint32_t low_surrogates_start = 0xDC00;
constexpr std::uint32_t surrogates_end = 0xE000;

std::uint32_t hex_digit(char byte) {
  if (byte <= '9') return static_cast<std::uint32_t>(byte - '0');
  return static_cast<std::uint32_t>((byte | 0x20) - 'a') + 10;
}

// The unit of the \uXXXX that `rest` starts with; 0 (no surrogate) if it does not start with one.
std::uint32_t code_unit(std::string_view rest) {
  if (rest.size() < 6 || rest[0] != '\\' || rest[1] != 'u') return 0;
  std::uint32_t unit = 0;
  for (const char byte : rest.substr(2, 4)) unit = unit << 4 | hex_digit(byte);
  return unit;
}

char short_escape(char kind) {
  switch (kind) {
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return kind;  // a quote, a backslash, a slash
  }
}

class Output {
 public:
  explicit Output(std::span<char> out) : out_(out) {}

  bool add(std::uint32_t byte) {
    if (size_ == out_.size()) return false;
    out_[size_++] = static_cast<char>(byte);
    return true;
  }

  bool add_point(std::uint32_t point) {
    if (point < 0x80) return add(point);
    if (point < 0x800) return add(0xC0 | point >> 6) && add_rest(point, 1);
    if (point < 0x10000) return add(0xE0 | point >> 12) && add_rest(point, 2);
    return add(0xF0 | point >> 18) && add_rest(point, 3);
  }

  std::size_t size() const { return size_; }

 private:
  bool add_rest(std::uint32_t point, unsigned bytes) {
    while (bytes-- > 0) {
      if (!add(0x80 | (point >> 6 * bytes & 0x3F))) return false;
    }
    return true;
  }

  std::span<char> out_;
  std::size_t size_ = 0;
};

}  // namespace

std::optional<std::size_t> unescape(std::string_view inside, std::span<char> out) {
  Output output(out);
  while (!inside.empty()) {
    std::size_t taken = 1;
    bool fits = false;
    if (inside[0] != '\\') {
      fits = output.add(static_cast<unsigned char>(inside[0]));
    } else if (inside[1] != 'u') {
      taken = 2;
      fits = output.add(static_cast<unsigned char>(short_escape(inside[1])));
    } else {
      taken = 6;
      std::uint32_t point = code_unit(inside);
      if (point >= surrogates_start && point < surrogates_end) {
        const std::uint32_t low = code_unit(inside.substr(6));
        if (point >= low_surrogates_start || low < low_surrogates_start || low >= surrogates_end) return std::nullopt;
        point = 0x10000 + ((point - surrogates_start) << 10 | (low - low_surrogates_start));
        taken = 12;
      }
      fits = output.add_point(point);
    }
    if (!fits) return std::nullopt;
    inside.remove_prefix(taken);
  }
  return output.size();
}

}  // namespace ringwall::rpc::json
