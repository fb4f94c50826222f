#include <ringwall/config/suggestion.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <numeric>

namespace ringwall::config {
namespace {

constexpr std::size_t name_bytes_max = 64;

std::size_t distance(std::string_view a, std::string_view b) {
  std::array<std::size_t, name_bytes_max + 1> row{};
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row[b.size()];
}

}  // namespace

std::optional<std::string> nearest(std::string_view name, std::span<const std::string> known) {
  std::optional<std::string> best;
  std::size_t best_distance = name.size() / 3 + 1;
  for (const std::string& candidate : known) {
    if (name.size() > name_bytes_max || candidate.size() > name_bytes_max) {
      continue;
    }
    const std::size_t edits = distance(name, candidate);
    if (edits < best_distance) {
      best = candidate;
      best_distance = edits;
    }
  }
  return best;
}

}  // namespace ringwall::config
