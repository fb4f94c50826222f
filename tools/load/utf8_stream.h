// utf8_stream.h: whether a message that comes in pieces is UTF-8, as text frames (RFC 6455, section 8.1) and JSON (RFC
// 8259, section 8.1) have to be. Owner: one client. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace ringwall::load {

class Utf8Stream {
 public:
  void add(std::string_view piece);
  // The message is whole: whether it was UTF-8. What is added next is the next one's.
  [[nodiscard]] bool end();

 private:
  [[nodiscard]] std::string_view finish_character(std::string_view piece);

  std::array<char, 4> begun_{};  // a character that a piece's end has cut
  std::size_t begun_bytes_ = 0;
  bool is_good_ = true;
};

}  // namespace ringwall::load
