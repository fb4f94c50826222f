// problem.h: one thing that is wrong with the settings, said so that it can be put right without a manual.
//
// Owned by the list that load() returns. `file` and `line` name the place: a file and a line from 1, or the flag
// ("--listen 0.0.0.0"), or the environment variable, then with line 0. Both are empty for what no source mentions.
#pragma once

#include <cstdint>
#include <string>

namespace ringwall::config {

struct Problem {
  std::string file;
  std::uint32_t line = 0;
  std::string field;     // "listener[0].address"; empty where the text as a whole is meant.
  std::string found;     // As the operator wrote it, quoted; or "nothing".
  std::string expected;  // What would be right.

  friend bool operator==(const Problem&, const Problem&) = default;
};

// `ringwall.toml:12: listener[0].address: found "0.0.0.0", expected ADDR:PORT such as 0.0.0.0:443`. One line,
// printable.
[[nodiscard]] std::string to_text(const Problem& problem);

}  // namespace ringwall::config
