#include <ringwall/config/units.h>

#include "unit/catch.h"

using namespace ringwall::config;

TEST_CASE("a plain integer is in the field's own unit") {
  for (const Unit unit : {Unit::none, Unit::milliseconds, Unit::seconds, Unit::bytes}) {
    CHECK(parse_number("0", unit) == 0U);
    CHECK(parse_number("75000", unit) == 75'000U);
  }
}

TEST_CASE("times are read with ms, s, m, h and d") {
  CHECK(parse_number("250ms", Unit::milliseconds) == 250U);
  CHECK(parse_number("10s", Unit::milliseconds) == 10'000U);
  CHECK(parse_number("2m", Unit::milliseconds) == 120'000U);
  CHECK(parse_number("1h", Unit::milliseconds) == 3'600'000U);
  CHECK(parse_number("1d", Unit::milliseconds) == 86'400'000U);
  CHECK(parse_number("5m", Unit::seconds) == 300U);
}

TEST_CASE("sizes are read with B, KiB, MiB and GiB") {
  CHECK(parse_number("7B", Unit::bytes) == 7U);
  CHECK(parse_number("16KiB", Unit::bytes) == 16'384U);
  CHECK(parse_number("16MiB", Unit::bytes) == 16'777'216U);
  CHECK(parse_number("2GiB", Unit::bytes) == 2'147'483'648U);
}

TEST_CASE("what could be read in two ways is no number") {
  for (const char* text : {"", " 1", "1 ", "1 s", "+1", "-1", "1.5s", "0x10", "1e3", "s", "10S", "1_000", "10ss"}) {
    INFO(text);
    CHECK_FALSE(parse_number(text, Unit::milliseconds));
  }
  for (const char* text : {"16M", "16MB", "16mib", "16KB", "1TiB"}) {
    INFO(text);
    CHECK_FALSE(parse_number(text, Unit::bytes));
  }
}

TEST_CASE("a unit of another kind is refused") {
  CHECK_FALSE(parse_number("10s", Unit::none));
  CHECK_FALSE(parse_number("10s", Unit::bytes));
  CHECK_FALSE(parse_number("10KiB", Unit::milliseconds));
  CHECK_FALSE(parse_number("10ms", Unit::seconds));
}

TEST_CASE("a number that overflows is refused, the last one that does not is read") {
  CHECK(parse_number("18446744073709551615", Unit::none) == UINT64_MAX);
  CHECK_FALSE(parse_number("18446744073709551616", Unit::none));
  CHECK(parse_number("17179869183GiB", Unit::bytes) == 17'179'869'183ULL << 30);
  CHECK_FALSE(parse_number("17179869184GiB", Unit::bytes));
}

TEST_CASE("numbers are written in the unit that people would use") {
  CHECK(number_text(10'000, Unit::milliseconds) == "10s");
  CHECK(number_text(60'000, Unit::milliseconds) == "60s");
  CHECK(number_text(120'000, Unit::milliseconds) == "2m");
  CHECK(number_text(1'500, Unit::milliseconds) == "1500ms");
  CHECK(number_text(0, Unit::milliseconds) == "0ms");
  CHECK(number_text(86'400, Unit::seconds) == "24h");
  CHECK(number_text(16'777'216, Unit::bytes) == "16MiB");
  CHECK(number_text(16'777'217, Unit::bytes) == "16777217B");
  CHECK(number_text(64, Unit::none) == "64");
}

TEST_CASE("every number is written so that it reads back") {
  for (const Unit unit : {Unit::none, Unit::milliseconds, Unit::seconds, Unit::bytes}) {
    for (std::uint64_t bit = 1; bit != 0; bit <<= 1) {
      for (const std::uint64_t number : {bit - 1, bit, bit * 1'000, bit * 3'600}) {
        CHECK(parse_number(number_text(number, unit), unit) == number);
      }
    }
  }
}
