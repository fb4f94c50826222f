// given.h: one value as some source gave it, before anyone knows what the field wants.
//
// The common form of a TOML leaf, a flag, a --set and a variable. Lives only while load() runs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <ringwall/config/field_path.h>

namespace ringwall::config {

// Where it was written. `line` counts from 1; 0 where there are no lines.
struct Place {
  std::string file;
  std::uint32_t line = 0;
};

enum class Shape : std::uint8_t {
  text,     // From a flag or a variable: it may be meant as a number, a word or a list. In `text`.
  string,   // In `text`.
  integer,  // In `text`, as digits with a sign if negative.
  list,     // Of strings, in `items`.
  section,  // A table: only that it is there.
  other,    // What no field takes. `text` describes it.
};

struct Given {
  FieldPath path;
  Shape shape = Shape::text;
  std::string text{};
  std::vector<std::string> items{};
  Place place{};
};

// As a problem shows it: quoted, cut to a readable length, without control characters.
[[nodiscard]] std::string found_text(const Given& given);
[[nodiscard]] std::string quoted(std::string_view text);

}  // namespace ringwall::config
