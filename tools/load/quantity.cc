#include "load/quantity.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace ringwall::load {

namespace {

constexpr double week_ns = 7.0 * 24 * 3600 * 1e9;
constexpr double count_max = 1e12;

struct Read {
  double number;
  std::string_view rest;
};

// Digits with at most one point: neither signs nor exponents.
std::optional<Read> read_number(std::string_view text) {
  const std::size_t size = std::min(text.find_first_not_of("0123456789."), text.size());
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + size, number, std::chars_format::fixed);
  if (error != std::errc{} || end != text.data() + size || text[0] == '.' || text[size - 1] == '.') return std::nullopt;
  return Read{number, text.substr(size)};
}

std::string three_digits(double value) {
  if (value >= 99.95) return fmt::format("{:.0f}", value);
  if (value >= 9.995) return fmt::format("{:.1f}", value);
  return fmt::format("{:.2f}", value);
}

}  // namespace

std::optional<std::uint64_t> parse_duration_ns(std::string_view text) {
  struct Suffix {
    std::string_view text;
    double ns;
  };
  constexpr std::array<Suffix, 4> suffixes{{{"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}}};
  const auto read = read_number(text);
  if (!read) return std::nullopt;
  for (const Suffix& suffix : suffixes) {
    if (read->rest != suffix.text) continue;
    const double ns = read->number * suffix.ns;
    if (ns > week_ns) return std::nullopt;
    return static_cast<std::uint64_t>(std::llround(ns));
  }
  return std::nullopt;
}

std::optional<double> parse_rate(std::string_view text) {
  const auto read = read_number(text);
  if (!read) return std::nullopt;
  const std::string_view unit = read->rest;
  if (!unit.empty() && unit != "k" && unit != "M") return std::nullopt;
  const double rate = read->number * (unit.empty() ? 1 : unit == "k" ? 1e3 : 1e6);
  if (rate > count_max) return std::nullopt;
  return rate;
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
  const auto rate = parse_rate(text);
  if (!rate) return std::nullopt;
  const double whole = std::round(*rate);
  if (std::abs(*rate - whole) > 1e-6) return std::nullopt;
  return static_cast<std::uint64_t>(whole);
}

std::optional<double> parse_share(std::string_view text) {
  const auto read = read_number(text);
  if (!read || read->rest != "%" || read->number > 100) return std::nullopt;
  return read->number / 100;
}

std::string duration_text(std::uint64_t ns) {
  const auto value = static_cast<double>(ns);
  if (value < 999'500) return fmt::format("{:.0f} µs", value / 1e3);
  if (value < 999.5e6) return three_digits(value / 1e6) + " ms";
  if (value < 120e9) return three_digits(value / 1e9) + " s";
  return three_digits(value / 60e9) + " min";
}

std::string count_text(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t at = digits.size(); at > 3; at -= 3) digits.insert(at - 3, ",");
  return digits;
}

std::string rate_text(double rate) {
  if (rate < 9.995) return fmt::format("{:.2g}", rate);
  return count_text(static_cast<std::uint64_t>(std::llround(rate)));
}

std::string bytes_text(double bytes) {
  constexpr std::array units = {"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) return fmt::format("{:.0f} B", bytes);
  std::size_t unit = 0;
  for (bytes /= 1024; bytes >= 1023.5 && unit + 1 < units.size(); ++unit) bytes /= 1024;
  return three_digits(bytes) + " " + units[unit];
}

std::string share_text(double share) {
  const double percent = share * 100;
  if (percent == 0 || percent >= 10) return fmt::format("{:.0f} %", percent);
  return fmt::format("{:.2g} %", percent);
}

}  // namespace ringwall::load
