// units.h: numbers with the units that people write.
//
// "10s", "16MiB", "250ms" and plain integers, which are in the field's own unit. No fractions, no signs, no spaces, and
// neither "MB" nor "M", which are read in two ways.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ringwall::config {

enum class Unit : std::uint8_t { none, milliseconds, seconds, bytes };

// In `unit`. Nothing when it is no number, when its suffix is not of this unit, or when it overflows.
[[nodiscard]] std::optional<std::uint64_t> parse_number(std::string_view text, Unit unit);

// The shortest form that parse_number() reads back as the same number: "10s", "16MiB", "64".
[[nodiscard]] std::string number_text(std::uint64_t number, Unit unit);

// " such as 1500ms or 10s"; empty for plain numbers.
[[nodiscard]] std::string_view unit_examples(Unit unit);

}  // namespace ringwall::config
