#include <ringwall/config/toml_reader.h>

#include <algorithm>
#include <utility>

#include <fmt/core.h>

// Compiled into this file alone, and without exceptions, whatever the distribution built its library with.
#undef TOML_HEADER_ONLY
#undef TOML_SHARED_LIB
#undef TOML_EXCEPTIONS
#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

namespace ringwall::config {
namespace {

class Reader {
 public:
  explicit Reader(const std::string& file) : file_(file) {}

  std::vector<Given> read(const toml::table& root) {
    FieldPath path;
    read_members(root, path);
    return std::move(given_);
  }

 private:
  void read_members(const toml::table& table, FieldPath& path) {
    for (const auto& [key, node] : table) {
      path.push_back(Step{std::string(key.str())});
      read_node(node, key.source().begin.line, path);
      path.pop_back();
    }
  }

  void read_node(const toml::node& node, toml::source_index line, FieldPath& path) {
    if (const toml::table* const table = node.as_table()) {
      read_table(*table, line, path);
    } else if (const toml::array* const array = node.as_array()) {
      read_array(*array, line, path);
    } else if (const auto* const text = node.as_string()) {
      give({.path = path, .shape = Shape::string, .text = text->get()}, line);
    } else if (const auto* const integer = node.as_integer()) {
      give({.path = path, .shape = Shape::integer, .text = std::to_string(integer->get())}, line);
    } else {
      give({.path = path, .shape = Shape::other, .text = describe(node)}, line);
    }
  }

  void read_table(const toml::table& table, toml::source_index line, FieldPath& path) {
    give({.path = path, .shape = Shape::section}, line);
    if (path.size() < path_steps_max) {
      read_members(table, path);
    }
  }

  void read_array(const toml::array& array, toml::source_index line, FieldPath& path) {
    if (array.is_array_of_tables()) {
      for (std::size_t i = 0; i < array.size(); ++i) {
        path.back().index = i;
        read_table(*array[i].as_table(), array[i].source().begin.line, path);
      }
      path.back().index.reset();
      return;
    }
    Given list{.path = path, .shape = Shape::list};
    for (const toml::node& item : array) {
      if (!item.is_string()) {
        give({.path = path, .shape = Shape::other, .text = "a list with " + describe(item) + " in it"}, line);
        return;
      }
      list.items.push_back(item.as_string()->get());
    }
    give(std::move(list), line);
  }

  void give(Given given, toml::source_index line) {
    given.place = {file_, line};
    given_.push_back(std::move(given));
  }

  static std::string describe(const toml::node& node) {
    switch (node.type()) {
      case toml::node_type::table:
        return "a table";
      case toml::node_type::array:
        return "a list";
      case toml::node_type::integer:
        return "an integer";
      case toml::node_type::floating_point:
        return "a fraction";
      case toml::node_type::boolean:
        return node.as_boolean()->get() ? "true" : "false";
      default:
        return "a date or a time";
    }
  }

  const std::string& file_;
  std::vector<Given> given_;
};

// Steps over the strings and comments of TOML, for line_of_deep_key(). Where the text is not TOML, the parser stops
// before this can go astray.
class Skipper {
 public:
  explicit Skipper(std::string_view text) : text_(text) {}

  // The next character outside of strings and comments; '\0' for a whole string, and at the end.
  char next() {
    const char c = text_[at_];
    if (c == '"' || c == '\'') {
      skip_string(c);
      return '\0';
    }
    if (c == '#') {
      at_ = std::min(text_.find('\n', at_), text_.size());
      return '\0';
    }
    ++at_;
    return c;
  }

  [[nodiscard]] bool at_end() const { return at_ >= text_.size(); }

  [[nodiscard]] std::uint32_t line() const {
    const auto here = text_.begin() + static_cast<std::ptrdiff_t>(std::min(at_, text_.size()));
    return static_cast<std::uint32_t>(1 + std::count(text_.begin(), here, '\n'));
  }

 private:
  void skip_string(char quote) {
    const std::string closing(text_.substr(at_).starts_with(std::string(3, quote)) ? 3 : 1, quote);
    at_ += closing.size();
    while (at_ < text_.size() && !text_.substr(at_).starts_with(closing)) {
      if (closing.size() == 1 && text_[at_] == '\n') {
        return;
      }
      at_ += text_[at_] == '\\' && quote == '"' ? 2 : 1;
    }
    at_ += closing.size();
    // A multi-line string may end in one or two quotes of its own.
    for (int own = 0; own < 2 && closing.size() == 3 && at_ < text_.size() && text_[at_] == quote; ++own) {
      ++at_;
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::uint32_t line_of_deep_key(std::string_view text) {
  Skipper skipper(text);
  for (std::size_t parts = 1; !skipper.at_end();) {
    const char c = skipper.next();
    if (c == '.' && ++parts > key_parts_max) {
      return skipper.line();
    }
    if (c == '\n' || c == '=' || c == '[' || c == '{' || c == ',') {
      parts = 1;
    }
  }
  return 0;
}

std::expected<std::vector<Given>, Problem> read_toml(std::string_view text, const std::string& file) {
  if (const std::uint32_t line = line_of_deep_key(text)) {
    return std::unexpected(Problem{file, line, "", "a key of many parts", fmt::format("at most {}", key_parts_max)});
  }
  const toml::parse_result result = toml::parse(text, file);
  if (!result) {
    const toml::parse_error& error = result.error();
    return std::unexpected(
        Problem{file, error.source().begin.line, "", std::string(error.description()), "valid TOML"});
  }
  return Reader(file).read(result.table());
}

}  // namespace ringwall::config
