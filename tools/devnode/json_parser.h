// json_parser.h: a DOM parser that is used again, without keeping the memory of the largest message it ever saw.
#pragma once

#include <simdjson.h>

#include <memory>
#include <string_view>

namespace ringwall::devnode {

class JsonParser {
 public:
  // The element holds until the next parse() or trim(). simdjson takes about 12 bytes for each of the text.
  [[nodiscard]] simdjson::simdjson_result<simdjson::dom::element> parse(std::string_view text) {
    return parser_->parse(text.data(), text.size());
  }

  void trim() {
    if (parser_->capacity() > kept_bytes_max) parser_ = std::make_unique<simdjson::dom::parser>();
  }

 private:
  static constexpr std::size_t kept_bytes_max = 256 * 1024;  // of text

  std::unique_ptr<simdjson::dom::parser> parser_ = std::make_unique<simdjson::dom::parser>();
};

}  // namespace ringwall::devnode
