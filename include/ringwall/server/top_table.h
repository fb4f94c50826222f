// top_table.h: rows and columns as `ringwall top` shows them, in a terminal of any width. Pure.
//
// A character is taken to be as wide as any other. Cells are ours, or have been made harmless (log/escape.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::server {

enum class Mood : std::uint8_t { plain, heading, warning, alarm };

struct ScreenLine {
  std::string text;
  Mood mood = Mood::plain;
};

// In characters of UTF-8.
[[nodiscard]] std::size_t width_of(std::string_view text);
// Ends in "…" where something is missing.
[[nodiscard]] std::string cut(std::string_view text, std::size_t columns);

class Table {
 public:
  struct Column {
    std::string title;
    bool is_left = false;
    unsigned rank = 0;          // where there is no room the greatest goes first; 0 stays
    std::size_t width_min = 0;  // it may be cut to that; 0: never
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  // A cell for each column.
  void add(std::vector<std::string> cells, Mood mood = Mood::plain);
  // The heading, and the rows. A column without anything in it is left out.
  [[nodiscard]] std::vector<ScreenLine> lines(std::size_t columns) const;

 private:
  struct Row {
    std::vector<std::string> cells;
    Mood mood;
  };
  struct Shown {
    std::size_t index;  // in columns_
    std::size_t content;
    std::size_t width;
  };

  [[nodiscard]] std::vector<Shown> fitted(std::size_t columns) const;
  [[nodiscard]] std::string line_of(const std::vector<std::string>& cells, const std::vector<Shown>& shown) const;

  std::vector<Column> columns_;
  std::vector<Row> rows_;
};

}  // namespace ringwall::server
