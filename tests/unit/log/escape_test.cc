#include <ringwall/log/escape.h>

#include "unit/catch.h"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace ringwall::log {
namespace {

std::string sentence(std::string_view bytes) {
  std::string out;
  append_sentence(out, bytes, 100);
  return out;
}

std::string value(std::string_view bytes, std::size_t bytes_max = 100) {
  std::string out;
  append_value(out, bytes, bytes_max);
  return out;
}

std::string json(std::string_view bytes, std::size_t bytes_max = 100) {
  std::string out;
  append_json(out, bytes, bytes_max);
  return out;
}

TEST_CASE("a value stands bare only if it is a plain word") {
  CHECK(value("eth_call") == "eth_call");
  CHECK(value("2001:db8::1") == "2001:db8::1");
  CHECK(value("") == "\"\"");
  CHECK(value("two words") == "\"two words\"");
  CHECK(value("a=b") == "\"a=b\"");
  CHECK(value("say \"no\"") == R"("say \"no\"")");
  CHECK(value("back\\slash") == R"("back\\slash")");
}

TEST_CASE("nothing that is said ends a line or steers a terminal") {
  const std::pair<std::string, std::string> rows[] = {
      {"a\nb", R"(a\nb)"},
      {"a\r\tb", R"(a\r\tb)"},
      {std::string("a\0b", 3), R"(a\x00b)"},
      {"\x1b[2J", R"(\x1b[2J)"},
      {"\x7f", R"(\x7f)"},
      {"\xc2\x9b[2J", R"(\u{9b}[2J)"},  // CSI, as one character
      {"\xe2\x80\xae"
       "drow",
       R"(\u{202e}drow)"},                      // from right to left
      {"\xe2\x80\xa8next", R"(\u{2028}next)"},  // a line separator
      {"\xef\xbb\xbf", R"(\u{feff})"},          // a byte order mark
      {"\xf3\xa0\x81\x81", R"(\u{e0041})"},     // a tag
  };
  for (const auto& [said, written] : rows) {
    INFO(written);
    CHECK(sentence(said) == written);
    CHECK(value(said) == '"' + written + '"');
    const std::string text = json(said);
    CHECK(text.find_first_of(std::string_view("\n\r\t\0\x1b\x7f\xc2\xe2\xef\xf3", 10)) == std::string::npos);
    CHECK(nlohmann::json::parse(text).get<std::string>() == said);
  }
}

TEST_CASE("other scripts are left as they are") {
  for (const std::string_view said : {"żółw", "日本語", "🦀", "naïve"}) {
    CHECK(sentence(said) == said);
    CHECK(value(said) == '"' + std::string(said) + '"');
    CHECK(json(said) == '"' + std::string(said) + '"');
  }
}

TEST_CASE("bytes that are no UTF-8 are told as bytes, and in JSON replaced") {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"\xff", R"(\xff)"},
      {"\x80", R"(\x80)"},
      {"\xc0\xaf", R"(\xc0\xaf)"},                  // overlong
      {"\xe0\x80\xaf", R"(\xe0\x80\xaf)"},          // overlong
      {"\xed\xa0\x80", R"(\xed\xa0\x80)"},          // a surrogate
      {"\xf4\x90\x80\x80", R"(\xf4\x90\x80\x80)"},  // beyond U+10FFFF
      {"\xe6\x97", R"(\xe6\x97)"},                  // cut short
      {"\xe6\x97x", R"(\xe6\x97x)"},
  };
  for (const auto& [said, written] : rows) {
    INFO(written);
    CHECK(sentence(said) == written);
    const auto parsed = nlohmann::json::parse(json(said)).get<std::string>();
    CHECK(parsed.starts_with("\xef\xbf\xbd"));
  }
}

TEST_CASE("what is too long is cut between two characters") {
  CHECK(value("aaaa", 4) == "aaaa");
  CHECK(value("aaaaa", 4) == "\"aaaa…\"");
  CHECK(value("aaaż", 4) == "\"aaa…\"");
  CHECK(json("aaa🦀", 5) == "\"aaa…\"");
  CHECK(json("aaaaa", 4) == "\"aaaa…\"");
}

}  // namespace
}  // namespace ringwall::log
