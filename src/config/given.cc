#include <ringwall/config/given.h>

#include <algorithm>

#include <fmt/core.h>

namespace ringwall::config {
namespace {

constexpr std::size_t shown_bytes_max = 80;
constexpr std::size_t shown_items_max = 4;

}  // namespace

std::string quoted(std::string_view text) {
  std::string shown = "\"";
  for (const char c : text.substr(0, shown_bytes_max)) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      shown += c;
    }
  }
  return shown + (text.size() > shown_bytes_max ? "…\"" : "\"");
}

std::string found_text(const Given& given) {
  switch (given.shape) {
    case Shape::text:
    case Shape::string:
      return quoted(given.text);
    case Shape::integer:
    case Shape::other:
      return given.text;
    case Shape::section:
      return "a table";
    case Shape::list:
      break;
  }
  std::string shown;
  for (std::size_t i = 0; i < std::min(given.items.size(), shown_items_max); ++i) {
    shown += (i == 0 ? "" : ", ") + quoted(given.items[i]);
  }
  return "[" + shown + (given.items.size() > shown_items_max ? ", …]" : "]");
}

}  // namespace ringwall::config
