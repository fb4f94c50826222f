// log_line.h: what this folder has to tell an operator. Whose log it goes to is for others to say.
#pragma once

#include <ringwall/log/level.h>

#include <functional>
#include <string>
#include <string_view>

namespace ringwall::upstream {

struct LogLine {
  using Level = log::Level;
  Level level = Level::info;
  std::string text;
  std::string upstream{};    // whose name it is about: an upstream's or a node's; empty: nobody's
  std::string_view state{};  // what has become of a node: see state_word()
};

using Log = std::function<void(const LogLine& line)>;

}  // namespace ringwall::upstream
