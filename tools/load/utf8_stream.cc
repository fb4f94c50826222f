#include "load/utf8_stream.h"

#include <ringwall/ascii.h>
#include <simdjson.h>

#include <algorithm>
#include <utility>

namespace ringwall::load {

namespace {

bool is_utf8(std::string_view text) { return is_ascii(text) || simdjson::validate_utf8(text.data(), text.size()); }

bool continues(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) == 0x80; }

// Of the character that `first` begins; 1 too where no character begins so.
std::size_t bytes_of(char first) {
  const auto code = static_cast<unsigned char>(first);
  return code >= 0xF0 ? 4 : code >= 0xE0 ? 3 : code >= 0xC0 ? 2 : 1;
}

// How many bytes at the end are of a character that is not whole.
std::size_t cut_bytes(std::string_view text) {
  for (std::size_t bytes = 1; bytes <= std::min<std::size_t>(text.size(), 3); ++bytes) {
    const char byte = text[text.size() - bytes];
    if (!continues(byte)) return bytes_of(byte) > bytes ? bytes : 0;
  }
  return 0;
}

}  // namespace

void Utf8Stream::add(std::string_view piece) {
  if (begun_bytes_ > 0) piece = finish_character(piece);
  if (!is_good_ || piece.empty()) return;
  const std::size_t cut = cut_bytes(piece);
  is_good_ = is_utf8(piece.substr(0, piece.size() - cut));
  std::ranges::copy(piece.substr(piece.size() - cut), begun_.begin());
  begun_bytes_ = cut;
}

// What is left of the piece.
std::string_view Utf8Stream::finish_character(std::string_view piece) {
  const std::size_t taken = std::min(bytes_of(begun_[0]) - begun_bytes_, piece.size());
  std::ranges::copy(piece.substr(0, taken), begun_.begin() + static_cast<std::ptrdiff_t>(begun_bytes_));
  begun_bytes_ += taken;
  if (begun_bytes_ < bytes_of(begun_[0])) return {};
  is_good_ = is_good_ && is_utf8({begun_.data(), begun_bytes_});
  begun_bytes_ = 0;
  return piece.substr(taken);
}

bool Utf8Stream::end() {
  const bool is_whole = std::exchange(begun_bytes_, 0) == 0;
  return std::exchange(is_good_, true) && is_whole;
}

}  // namespace ringwall::load
