#include <ringwall/config/units.h>

#include <array>
#include <charconv>
#include <limits>
#include <span>

#include <fmt/core.h>

namespace ringwall::config {
namespace {

// `count_min`: the least count at which the unit is used for printing; 60s reads better than 1m.
struct Suffix {
  std::string_view text;
  std::uint64_t factor;
  std::uint64_t count_min;
};

constexpr std::array<Suffix, 5> of_milliseconds{
    {{"d", 86'400'000, 2}, {"h", 3'600'000, 2}, {"m", 60'000, 2}, {"s", 1'000, 1}, {"ms", 1, 0}}};
constexpr std::array<Suffix, 4> of_seconds{{{"d", 86'400, 2}, {"h", 3'600, 2}, {"m", 60, 2}, {"s", 1, 0}}};
constexpr std::array<Suffix, 4> of_bytes{
    {{"GiB", 1U << 30, 1}, {"MiB", 1U << 20, 1}, {"KiB", 1U << 10, 1}, {"B", 1, 0}}};

std::span<const Suffix> suffixes(Unit unit) {
  switch (unit) {
    case Unit::milliseconds:
      return of_milliseconds;
    case Unit::seconds:
      return of_seconds;
    case Unit::bytes:
      return of_bytes;
    case Unit::none:
      break;
  }
  return {};
}

}  // namespace

std::optional<std::uint64_t> parse_number(std::string_view text, Unit unit) {
  std::uint64_t number = 0;
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const auto [rest, error] = std::from_chars(begin, end, number);
  if (error != std::errc{}) {
    return std::nullopt;
  }
  if (rest == end) {
    return number;
  }
  const std::string_view suffix(rest, static_cast<std::size_t>(end - rest));
  for (const Suffix& known : suffixes(unit)) {
    if (known.text != suffix) {
      continue;
    }
    if (number > std::numeric_limits<std::uint64_t>::max() / known.factor) {
      return std::nullopt;
    }
    return number * known.factor;
  }
  return std::nullopt;
}

std::string number_text(std::uint64_t number, Unit unit) {
  for (const Suffix& suffix : suffixes(unit)) {
    if (number % suffix.factor == 0 && number / suffix.factor >= suffix.count_min) {
      return fmt::format("{}{}", number / suffix.factor, suffix.text);
    }
  }
  return fmt::format("{}", number);
}

std::string_view unit_examples(Unit unit) {
  switch (unit) {
    case Unit::milliseconds:
      return " such as 1500ms or 10s";
    case Unit::seconds:
      return " such as 30s or 5m";
    case Unit::bytes:
      return " such as 64KiB or 16MiB";
    case Unit::none:
      break;
  }
  return "";
}

}  // namespace ringwall::config
