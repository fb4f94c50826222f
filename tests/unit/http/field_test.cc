#include <ringwall/http/field.h>

#include <string>

#include "unit/catch.h"

namespace ringwall::http {

TEST_CASE("a token is made of token characters and has at least one", "[http]") {
  CHECK(is_token("Content-Type"));
  CHECK(is_token("!#$%&'*+-.^_`|~09azAZ"));
  CHECK_FALSE(is_token(""));
  for (const char c : std::string_view("\0\t\n\r \"(),/:;<=>?@[\\]{}\x7f\x80\xff", 26)) {
    CAPTURE(static_cast<int>(c));
    CHECK_FALSE(is_token(std::string("a") + c));
  }
}

TEST_CASE("a field's text has no control characters but the tab", "[http]") {
  CHECK(is_field_text(""));
  CHECK(is_field_text("a\tb \"c\" \xc3\xa9"));
  for (int c = 0; c < 0x20; ++c) {
    CAPTURE(c);
    CHECK(is_field_text(std::string(1, static_cast<char>(c))) == (c == '\t'));
  }
  CHECK_FALSE(is_field_text("\x7f"));
}

TEST_CASE("names compare without regard to case, in ASCII only", "[http]") {
  CHECK(equals_ignoring_case("sec-WebSocket-KEY", "Sec-WebSocket-Key"));
  CHECK_FALSE(equals_ignoring_case("host", "hosts"));
  CHECK_FALSE(equals_ignoring_case("@", "`"));
  CHECK_FALSE(equals_ignoring_case("[", "{"));
  CHECK_FALSE(equals_ignoring_case("\xc3\x89", "\xc3\xa9"));
  CHECK(starts_ignoring_case("X-Forwarded-Port", "x-forwarded-"));
  CHECK_FALSE(starts_ignoring_case("X-Forwarded", "x-forwarded-"));
}

TEST_CASE("list members come trimmed, empty ones are skipped", "[http]") {
  std::string_view list = " , keep-alive\t,,Upgrade , ";
  CHECK(take_list_member(list) == "keep-alive");
  CHECK(take_list_member(list) == "Upgrade");
  CHECK(take_list_member(list) == std::nullopt);
  CHECK(take_list_member(list) == std::nullopt);
}

TEST_CASE("a list has a token only as a whole member", "[http]") {
  CHECK(list_has("keep-alive, UPGRADE", "upgrade"));
  CHECK_FALSE(list_has("keep-alive, upgrade-insecure", "upgrade"));
  CHECK_FALSE(list_has("not upgrade", "upgrade"));
  CHECK_FALSE(list_has("", "upgrade"));
}

TEST_CASE("fields are found by name, and lists are read over all fields of a name", "[http]") {
  FieldList fields;
  REQUIRE(fields.add({"Connection", "keep-alive"}));
  REQUIRE(fields.add({"X-Empty", ""}));
  REQUIRE(fields.add({"connection", "Upgrade"}));
  CHECK(fields.find("CONNECTION") == "keep-alive");
  CHECK(fields.find("x-empty") == "");
  CHECK(fields.find("x-none") == std::nullopt);
  CHECK(fields.count("connection") == 2);
  CHECK(fields.lists("connection", "upgrade"));
  CHECK_FALSE(fields.lists("connection", "close"));
}

TEST_CASE("a list of fields takes headers_max and refuses the next", "[http]") {
  FieldList fields;
  for (std::size_t index = 0; index < headers_max; ++index) REQUIRE(fields.add({"a", "b"}));
  CHECK_FALSE(fields.add({"a", "b"}));
  CHECK(fields.all().size() == headers_max);
}

}  // namespace ringwall::http
