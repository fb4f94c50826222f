#include <ringwall/config/problem.h>

#include <fmt/core.h>

namespace ringwall::config {
namespace {

// A key of a hostile file may hold anything; what reaches a terminal is one line.
std::string printable(const std::string& text) {
  std::string shown;
  for (const char c : text) {
    shown += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
  }
  return shown;
}

}  // namespace

std::string to_text(const Problem& problem) {
  std::string text = problem.file;
  if (problem.line > 0) {
    text += fmt::format(":{}", problem.line);
  }
  for (const std::string& part :
       {problem.field, fmt::format("found {}, expected {}", problem.found, problem.expected)}) {
    if (!part.empty() && part != text) {  // of a variable that is no field, place and field are one
      text += (text.empty() ? "" : ": ") + part;
    }
  }
  return printable(text);
}

}  // namespace ringwall::config
