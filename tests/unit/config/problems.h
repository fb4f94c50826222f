// problems.h: what load() says is wrong, for its tests.
#pragma once

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

#include <ringwall/config/load.h>

#include "unit/catch.h"

namespace ringwall::config::test {

inline constexpr const char* listener = "[[listener]]\nself_signed = ['localhost']\n";

inline std::vector<std::string> problems(const Sources& sources) {
  const auto config = load(sources);
  std::vector<std::string> texts;
  if (!config) {
    std::ranges::transform(config.error(), std::back_inserter(texts), [](const Problem& p) { return to_text(p); });
  }
  return texts;
}

inline Sources from_text(std::string text) { return {.file = "r.toml", .text = std::move(text), .check_files = false}; }

inline std::vector<std::string> in(const std::string& text) { return problems(from_text(text)); }

using Lines = std::vector<std::string>;

}  // namespace ringwall::config::test
