#include "devnode/hex.h"

#include "unit/catch.h"

using namespace ringwall::devnode;

TEST_CASE("bytes survive the way to hexadecimal text and back") {
  std::vector<std::byte> bytes;
  for (int value = 0; value < 256; ++value) bytes.push_back(static_cast<std::byte>(value));
  CHECK(from_hex(to_hex(bytes)) == bytes);
  CHECK(to_hex(bytes).substr(0, 6) == "0x0001");
}

TEST_CASE("hexadecimal text may be in either case, and is empty after 0x when there are no bytes") {
  CHECK(from_hex("0xAbcD") == from_hex("0xabcd"));
  REQUIRE(from_hex("0x"));
  CHECK(from_hex("0x")->empty());
}

TEST_CASE("text without 0x, with an odd digit or another letter is no hexadecimal text") {
  CHECK(!from_hex(""));
  CHECK(!from_hex("ab"));
  CHECK(!from_hex("0xabc"));
  CHECK(!from_hex("0xag"));
  CHECK(!from_hex("0X00"));
}
