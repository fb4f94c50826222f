// top_screen.h: what `ringwall top` shows, made of two answers of /status and one of /top. Pure; no terminal.
//
// From the top: what is wrong, the totals, the nodes (the worst first), the shards, the clients that ask for most. In a
// small terminal each table tells how many of its rows are missing; the shards go first, the nodes last.
#pragma once

#include <ringwall/error.h>
#include <ringwall/server/top_table.h>

#include <cstddef>
#include <string_view>
#include <vector>

namespace ringwall::server {

struct TopInput {
  std::string_view before;   // /status, JSON
  std::string_view now;      // the same, `seconds` later
  std::string_view talkers;  // /top, JSON
  double seconds = 1;
  std::string_view trouble{};  // why there is no newer answer; empty: there is
  double silent_s = 0;         // for how long there was none
  std::size_t rows = 24;
  std::size_t columns = 80;
};

// At most so many lines, none longer than `columns`. An error: an answer could not be understood.
[[nodiscard]] Result<std::vector<ScreenLine>> top_screen(const TopInput& input);

}  // namespace ringwall::server
