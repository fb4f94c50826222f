#include "load/utf8_stream.h"

#include <string>
#include <string_view>

#include "unit/catch.h"

using ringwall::load::Utf8Stream;

namespace {

// In two pieces, cut anywhere, and byte by byte: the same is told of all.
void check(std::string_view text, bool is_utf8) {
  INFO(text);
  Utf8Stream stream;
  for (std::size_t cut = 0; cut <= text.size(); ++cut) {
    stream.add(text.substr(0, cut));
    stream.add(text.substr(cut));
    CHECK(stream.end() == is_utf8);
  }
  for (const char& byte : text) stream.add({&byte, 1});
  CHECK(stream.end() == is_utf8);
}

}  // namespace

TEST_CASE("UTF-8 is told from what is none, however it is cut") {
  for (const char* good : {"", "plain", "é", "a\u20ac\U0001F600b", "\U0001F600\U0001F600"}) check(good, true);
  for (const char* bad :
       {"\xff", "a\xff\xfe", "\x80", "é\x80", "\xc3", "a\xe2\x82", "\xf0\x9f\x98", "\xc0\x80", "\xed\xa0\x80",
        "\xf4\x90\x80\x80", "\xe2\x28\xa1", "\xf8\x88\x80\x80\x80", "\xc3\x41 and more"})
    check(bad, false);
}
