#include "load/text_grid.h"

#include <ringwall/check.h>

#include <algorithm>
#include <set>

namespace ringwall::load {

namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t first_width_min = 12;

bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xC0) != 0x80; }

}  // namespace

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, begins_character));
}

std::string shortened(std::string_view text, std::size_t width) {
  if (width_of(text) <= width) return std::string(text);
  std::size_t characters = 0;
  std::size_t at = 0;
  while (at < text.size() && (!begins_character(text[at]) || ++characters < width)) ++at;
  return std::string(text.substr(0, at)) + "…";
}

TextGrid::TextGrid(std::vector<std::string> head, std::vector<std::size_t> droppable)
    : droppable_(std::move(droppable)), rows_{std::move(head)} {}

void TextGrid::add(std::vector<std::string> row) {
  RINGWALL_CHECK(row.size() == rows_[0].size());
  rows_.push_back(std::move(row));
}

std::size_t TextGrid::column_width(std::size_t column) const {
  std::size_t width = 0;
  for (const auto& row : rows_) width = std::max(width, width_of(row[column]));
  return width;
}

std::string TextGrid::text(std::size_t columns) const {
  std::set<std::size_t> dropped;
  const auto width_in_all = [&] {
    std::size_t width = 0;
    for (std::size_t column = 0; column < rows_[0].size(); ++column) {
      if (!dropped.contains(column)) width += column_width(column) + (column > 0 ? gap : 0);
    }
    return width;
  };
  for (const std::size_t column : droppable_) {
    if (width_in_all() > columns) dropped.insert(column);
  }
  const std::size_t excess = width_in_all() > columns ? width_in_all() - columns : 0;
  const std::size_t first = column_width(0);
  const std::size_t first_width = std::max(first - std::min(first, excess), std::min(first, first_width_min));
  std::string out;
  for (const auto& row : rows_) {
    const std::string name = shortened(row[0], first_width);
    out += name + std::string(first_width - width_of(name), ' ');
    for (std::size_t column = 1; column < row.size(); ++column) {
      if (dropped.contains(column)) continue;
      out += std::string(gap + column_width(column) - width_of(row[column]), ' ') + row[column];
    }
    out.erase(out.find_last_not_of(' ') + 1);
    out += "\n";
  }
  return out;
}

}  // namespace ringwall::load
