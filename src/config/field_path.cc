#include <ringwall/config/field_path.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include <ringwall/config/schema.h>
#include <ringwall/config/suggestion.h>

namespace ringwall::config {
namespace {

constexpr std::size_t index_digits_max = 4;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_name(std::string_view text) {
  const auto allowed = [](char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || c == '_' || c == '-'; };
  return !text.empty() && std::ranges::all_of(text, allowed);
}

std::optional<std::size_t> parse_index(std::string_view text) {
  std::size_t index = 0;
  if (text.empty() || text.size() > index_digits_max || !std::ranges::all_of(text, is_digit)) {
    return std::nullopt;
  }
  std::from_chars(text.data(), text.data() + text.size(), index);
  return index;
}

std::optional<Step> parse_step(std::string_view text) {
  const std::size_t bracket = text.find('[');
  if (bracket == text.npos) {
    return is_name(text) ? std::optional(Step{std::string(text)}) : std::nullopt;
  }
  if (!text.ends_with(']') || !is_name(text.substr(0, bracket))) {
    return std::nullopt;
  }
  const auto index = parse_index(text.substr(bracket + 1, text.size() - bracket - 2));
  return index ? std::optional(Step{std::string(text.substr(0, bracket)), index}) : std::nullopt;
}

// The part of `rest` before the first separator, which is taken off too.
std::string_view take(std::string_view& rest, char separator) {
  const std::size_t end = rest.find(separator);
  const std::string_view part = rest.substr(0, end);
  rest = end == rest.npos ? std::string_view{} : rest.substr(end + 1);
  return part;
}

// Takes "LISTENER_" or "LISTENER_0_" off a variable's lowered name when `section` is what stands there.
std::optional<Step> take_section(std::string_view& rest, std::string_view section, bool repeated) {
  std::string_view after = rest;
  if (take(after, '_') != section || after.empty()) {
    return std::nullopt;
  }
  Step step{std::string(section)};
  if (repeated) {
    std::string_view beyond = after;
    step.index = parse_index(take(beyond, '_'));
    after = step.index ? beyond : after;
  }
  rest = after;
  return step;
}

// What follows RINGWALL_, in lower case; empty for every other variable.
std::string lowered_variable(std::string_view name) {
  constexpr std::string_view prefix = "RINGWALL_";
  std::string lowered(name.starts_with(prefix) ? name.substr(prefix.size()) : "");
  std::ranges::transform(lowered, lowered.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
  return lowered;
}

bool is_of_a_service(std::string_view rest) {
  return rest.starts_with("service_") || rest == "port" || rest.starts_with("port_");
}

}  // namespace

std::optional<FieldPath> parse_field_path(std::string_view text) {
  FieldPath path;
  if (text.ends_with('.')) {
    return std::nullopt;
  }
  do {
    std::optional<Step> step = parse_step(take(text, '.'));
    if (!step || path.size() == path_steps_max) {
      return std::nullopt;
    }
    path.push_back(std::move(*step));
  } while (!text.empty());
  return path;
}

std::optional<FieldPath> path_of_variable(std::string_view name) {
  const std::string lowered = lowered_variable(name);
  std::string_view rest = lowered;
  FieldPath path;
  std::string found;
  for (const SectionRow& row : sections()) {
    const std::size_t dot = row.path.find('.');
    const std::string_view parent = row.path.substr(0, dot == row.path.npos ? 0 : dot);
    if (parent != found) {
      continue;
    }
    const std::string_view own = row.path.substr(dot == row.path.npos ? 0 : dot + 1);
    if (std::optional<Step> step = take_section(rest, own, row.count_max > 1)) {
      path.push_back(std::move(*step));
      found = row.path;
    }
  }
  if (path.empty() || rest.empty() || is_of_a_service(rest)) {
    return std::nullopt;
  }
  path.push_back(Step{std::string(rest)});
  return path;
}

std::optional<std::string> misspelt_section(std::string_view name) {
  const std::string lowered = lowered_variable(name);
  std::string_view rest = lowered;
  const std::string_view first = take(rest, '_');
  std::vector<std::string> known;
  for (const SectionRow& row : sections()) {
    if (row.path == first) {
      return std::nullopt;
    }
    if (row.path.find('.') == row.path.npos) {
      known.emplace_back(row.path);
    }
  }
  return rest.empty() || is_of_a_service(lowered) ? std::nullopt : nearest(first, known);
}

std::string to_text(const FieldPath& path) {
  std::string text;
  for (const Step& step : path) {
    text += (text.empty() ? "" : ".") + step.name;
    if (step.index) {
      text += "[" + std::to_string(*step.index) + "]";
    }
  }
  return text;
}

std::string schema_text(const FieldPath& path) {
  std::string text;
  for (const Step& step : path) {
    text += (text.empty() ? "" : ".") + step.name;
  }
  return text;
}

}  // namespace ringwall::config
