// value.h: between what was given and a member of config.h, by the rules of the member's row.
//
// read_*: the value, or the sentence that says what would be right. value_text: the TOML that reads back as the value.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ringwall/config/given.h>
#include <ringwall/config/schema.h>

namespace ringwall::config {

inline constexpr std::size_t list_items_max = 64;

template <typename T>
using Read = std::expected<T, std::string>;

// `T` is one of the types in Member. Defined for those only.
template <typename T>
[[nodiscard]] Read<T> read(const Given& given, const Row& row);

template <typename T>
[[nodiscard]] std::string value_text(const T& value, const Row& row);

// "10ms to 24h" or, with a word for 0, "auto, or 1 to 1024"; empty for all but numbers.
[[nodiscard]] std::string bounds_text(const Row& row);

// "auto, preserve".
template <typename Choice>
[[nodiscard]] std::string words_text() {
  std::string text;
  for (const auto& [word, value] : words<Choice>()) {
    text += (text.empty() ? "" : ", ") + std::string(word);
  }
  return text;
}

}  // namespace ringwall::config
