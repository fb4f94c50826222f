// rows.h: how a row of the schema is written down. Constant data.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>

#include <ringwall/check.h>
#include <ringwall/config/schema.h>

namespace ringwall::config {

inline constexpr std::uint64_t day_ms = 86'400'000;
inline constexpr std::uint64_t gib = std::uint64_t{1} << 30;
inline constexpr std::uint64_t kib = std::uint64_t{1} << 10;

template <typename S, typename T>
Field<S> number(std::string_view name, T S::* member, Unit unit, std::uint64_t minimum, std::uint64_t maximum,
                std::string_view help, std::string_view zero = "") {
  RINGWALL_CHECK(minimum <= maximum && maximum <= std::numeric_limits<T>::max());
  return {{.name = name, .help = help, .unit = unit, .minimum = minimum, .maximum = maximum, .zero = zero}, member};
}

template <typename S>
Field<S> milliseconds(std::string_view name, std::uint32_t S::* member, std::string_view help) {
  return number(name, member, Unit::milliseconds, 10, day_ms, help);
}

template <typename S, typename T>
Field<S> text(std::string_view name, T S::* member, const Syntax& syntax, std::string_view help,
              std::string_view example = "") {
  return {{.name = name, .help = help, .example = example, .syntax = &syntax}, member};
}

template <typename S, typename T>
Field<S> choice(std::string_view name, T S::* member, std::string_view help, std::string_view example = "") {
  return {{.name = name, .help = help, .example = example}, member};
}

// Of a section that needs a restart: what does not.
template <typename S>
Field<S> live(Field<S> field) {
  field.row.live = true;
  return field;
}

// Of a live section: what needs a restart.
template <typename S>
Field<S> fixed(Field<S> field) {
  field.row.live = false;
  return field;
}

}  // namespace ringwall::config
