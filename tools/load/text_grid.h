// text_grid.h: columns of text for a terminal, as wide as they must be. Pure, any thread.
//
// Widths are characters (code points): no wide or combining ones are written here.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::load {

[[nodiscard]] std::size_t width_of(std::string_view text);
// At most so wide; what is cut off is told by an ellipsis.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t width);

class TextGrid {
 public:
  // Where room is short, columns go in the order of `droppable` (indices), then the first column is shortened.
  TextGrid(std::vector<std::string> head, std::vector<std::size_t> droppable);

  void add(std::vector<std::string> row);  // as many as in the head
  // The first column to the left, the others to the right, two spaces between.
  [[nodiscard]] std::string text(std::size_t columns) const;

 private:
  [[nodiscard]] std::size_t column_width(std::size_t column) const;

  std::vector<std::size_t> droppable_;
  std::vector<std::vector<std::string>> rows_;  // the head is the first
};

}  // namespace ringwall::load
