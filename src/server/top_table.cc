#include <ringwall/check.h>
#include <ringwall/server/top_table.h>

#include <algorithm>
#include <utility>

namespace ringwall::server {

namespace {

constexpr std::size_t gap = 2;
constexpr std::string_view ellipsis = "…";

bool begins_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }

}  // namespace

std::size_t width_of(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, begins_character));
}

std::string cut(std::string_view text, std::size_t columns) {
  if (width_of(text) <= columns) return std::string(text);
  if (columns == 0) return {};
  std::size_t at = 0;
  for (std::size_t left = columns; at < text.size(); ++at) {
    if (begins_character(text[at]) && left-- == 1) break;
  }
  return std::string(text.substr(0, at)).append(ellipsis);
}

void Table::add(std::vector<std::string> cells, Mood mood) {
  RINGWALL_CHECK(cells.size() == columns_.size());
  rows_.push_back({.cells = std::move(cells), .mood = mood});
}

std::vector<Table::Shown> Table::fitted(std::size_t columns) const {
  std::vector<Shown> shown;
  for (std::size_t index = 0; index < columns_.size(); ++index) {
    std::size_t content = 0;
    for (const Row& row : rows_) content = std::max(content, width_of(row.cells[index]));
    if (content == 0 && !rows_.empty()) continue;
    const Column& column = columns_[index];
    content = std::max(content, width_of(column.title));
    const std::size_t width = column.width_min == 0 ? content : std::min(content, column.width_min);
    shown.push_back({.index = index, .content = content, .width = width});
  }
  const auto needed = [&] {
    std::size_t sum = 0;
    for (const Shown& one : shown) sum += one.width + gap;
    return sum == 0 ? 0 : sum - gap;
  };
  const auto rank = [this](const Shown& one) { return columns_[one.index].rank; };
  while (needed() > columns) {
    const auto last = std::ranges::max_element(shown, {}, rank);
    if (rank(*last) == 0) break;
    shown.erase(last);
  }
  std::size_t left = columns - std::min(columns, needed());
  for (Shown& one : shown) {
    const std::size_t more = std::min(left, one.content - one.width);
    one.width += more;
    left -= more;
  }
  return shown;
}

std::string Table::line_of(const std::vector<std::string>& cells, const std::vector<Shown>& shown) const {
  std::string line;
  for (const Shown& one : shown) {
    const std::string cell = cut(cells[one.index], one.width);
    const std::string padding(one.width - width_of(cell), ' ');
    if (!line.empty()) line.append(gap, ' ');
    line += columns_[one.index].is_left ? cell + padding : padding + cell;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line;
}

std::vector<ScreenLine> Table::lines(std::size_t columns) const {
  const std::vector<Shown> shown = fitted(columns);
  std::vector<std::string> titles;
  for (const Column& column : columns_) titles.push_back(column.title);
  std::vector<ScreenLine> lines{{.text = cut(line_of(titles, shown), columns), .mood = Mood::heading}};
  for (const Row& row : rows_) {
    lines.push_back({.text = cut(line_of(row.cells, shown), columns), .mood = row.mood});
  }
  return lines;
}

}  // namespace ringwall::server
