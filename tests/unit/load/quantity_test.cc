#include "load/quantity.h"

#include <cmath>

#include "unit/catch.h"

using namespace ringwall::load;

TEST_CASE("times have a unit", "[quantity]") {
  CHECK(parse_duration_ns("250us") == 250'000);
  CHECK(parse_duration_ns("1.5s") == 1'500'000'000);
  CHECK(parse_duration_ns("0.5ms") == 500'000);
  CHECK(parse_duration_ns("2m") == 120'000'000'000);
  CHECK(parse_duration_ns("0s") == 0);
  for (const char* wrong :
       {"", "10", "s", "-1s", "1e3s", "1h", "1 s", ".5s", "5.s", "1..2s", "nans", "inf", "99999999m", "0x10s", "+1s"}) {
    INFO(wrong);
    CHECK(!parse_duration_ns(wrong));
  }
}

TEST_CASE("rates and counts know thousands, shares percent", "[quantity]") {
  CHECK(parse_rate("2.5k") == 2500);
  CHECK(parse_rate("0.5") == 0.5);
  CHECK(parse_rate("1.5M") == 1'500'000);
  CHECK(parse_count("10k") == 10'000);
  CHECK(parse_count("2.5k") == 2500);
  CHECK(std::abs(parse_share("0.1%").value() - 0.001) < 1e-12);
  CHECK(parse_share("0%") == 0);
  CHECK(parse_share("100%") == 1);
  for (const char* wrong : {"", "k", "5m", "5kk", "5kM", "-1", "1e5", "9999999999999999999999"})
    CHECK(!parse_rate(wrong));
  CHECK(!parse_count("0.5"));
  CHECK(!parse_count("1.0005k"));
  for (const char* wrong : {"0.1", "%", "101%", "-1%"}) CHECK(!parse_share(wrong));
}

TEST_CASE("what is read is short, with three digits", "[quantity]") {
  CHECK(duration_text(0) == "0 µs");
  CHECK(duration_text(999'400) == "999 µs");
  CHECK(duration_text(999'500) == "1.00 ms");
  CHECK(duration_text(12'345'000) == "12.3 ms");
  CHECK(duration_text(999'600'000) == "1.00 s");
  CHECK(duration_text(90'000'000'000) == "90.0 s");
  CHECK(duration_text(600'000'000'000) == "10.0 min");
  CHECK(count_text(0) == "0");
  CHECK(count_text(999) == "999");
  CHECK(count_text(1'234'567) == "1,234,567");
  CHECK(rate_text(0) == "0");
  CHECK(rate_text(0.5) == "0.5");
  CHECK(rate_text(9.996) == "10");
  CHECK(rate_text(12'345.4) == "12,345");
  CHECK(bytes_text(1023) == "1023 B");
  CHECK(bytes_text(1024) == "1.00 KiB");
  CHECK(bytes_text(1.25 * 1024 * 1024) == "1.25 MiB");
  CHECK(share_text(0) == "0 %");
  CHECK(share_text(0.001) == "0.1 %");
  CHECK(share_text(0.5) == "50 %");
}
