// quantity.h: times, rates and counts as people write and read them.
//
// Pure functions, any thread. Written with digits and at most one point: "250us", "1.5s", "2m"; "5000", "2.5k".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ringwall::load {

// A unit is required: us, ms, s or m. Nothing where it is something else, or more than a week.
[[nodiscard]] std::optional<std::uint64_t> parse_duration_ns(std::string_view text);
// "k" is a thousand. Nothing where it is something else, or more than 1e12.
[[nodiscard]] std::optional<double> parse_rate(std::string_view text);
[[nodiscard]] std::optional<std::uint64_t> parse_count(std::string_view text);  // whole
// "0.1%", of 0 to 100 percent: 0.001.
[[nodiscard]] std::optional<double> parse_share(std::string_view text);

// Three significant digits: "12 µs", "1.25 ms", "41.6 s", "3 min".
[[nodiscard]] std::string duration_text(std::uint64_t ns);
// "0.5", "999", "12,345".
[[nodiscard]] std::string rate_text(double rate);
[[nodiscard]] std::string count_text(std::uint64_t count);  // 12,345
[[nodiscard]] std::string bytes_text(double bytes);         // 1.25 MiB
[[nodiscard]] std::string share_text(double share);         // 0.123 %

}  // namespace ringwall::load
