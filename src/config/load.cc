#include <ringwall/config/load.h>

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/core.h>

#include <ringwall/config/apply.h>
#include <ringwall/config/files.h>
#include <ringwall/config/ledger.h>
#include <ringwall/config/toml_reader.h>
#include <ringwall/config/validate.h>

namespace ringwall::config {
namespace {

std::vector<Given> from_file(const Sources& sources, Ledger& ledger) {
  std::string text = sources.text.value_or("");
  if (!sources.text && !sources.file.empty()) {
    std::expected<std::string, std::string> content = read_config_file(sources.file);
    if (!content) {
      ledger.report_at({sources.file}, "", content.error(), "a configuration file that can be read");
      return {};
    }
    text = std::move(*content);
  }
  std::expected<std::vector<Given>, Problem> given = read_toml(text, sources.file);
  if (!given) {
    Problem& problem = given.error();
    ledger.report_at({problem.file, problem.line}, problem.field, problem.found, problem.expected);
    return {};
  }
  return std::move(*given);
}

// By path, so that an element is there before the one after it, whatever the order of the variables.
std::vector<Given> from_environment(const Sources& sources, Ledger& ledger) {
  std::vector<Given> given;
  for (const auto& [name, value] : sources.environment) {
    if (std::optional<FieldPath> path = path_of_variable(name)) {
      given.push_back({.path = std::move(*path), .text = value, .place = {name}});
    } else if (std::optional<std::string> meant = misspelt_section(name)) {
      ledger.report_at({name}, name, "an unknown section", fmt::format("a known one, {} perhaps", *meant));
    }
  }
  std::ranges::sort(given, {}, &Given::path);
  return given;
}

std::vector<Given> from_command_line(const Sources& sources, Ledger& ledger) {
  std::vector<Given> given;
  for (const Setting& setting : sources.command_line) {
    if (std::optional<FieldPath> path = parse_field_path(setting.field)) {
      given.push_back({.path = std::move(*path), .text = setting.value, .place = {setting.place}});
    } else {
      ledger.report_at({setting.place}, setting.field, "an unknown field", "a name such as listener[0].address");
    }
  }
  return given;
}

}  // namespace

bool has_settings(const std::vector<std::pair<std::string, std::string>>& environment) {
  return std::ranges::any_of(environment, [](const auto& row) { return path_of_variable(row.first).has_value(); });
}

std::expected<Config, std::vector<Problem>> load(const Sources& sources) {
  Config config;
  Ledger ledger;
  for (const std::vector<Given>& source :
       {from_file(sources, ledger), from_environment(sources, ledger), from_command_line(sources, ledger)}) {
    for (const Given& given : source) {
      apply(given, config, ledger);
    }
  }
  const bool file_was_read = ledger.is_sound("");
  if (config.listeners.empty()) {
    config.listeners.emplace_back();
  }
  if (config.upstreams.empty()) {
    config.upstreams.emplace_back();
  }
  if (file_was_read) {
    validate(sources, config, ledger);
  }
  if (ledger.empty()) {
    return config;
  }
  std::vector<Problem> problems = ledger.take();
  const auto line = [](const Problem& problem) {
    return problem.line > 0 ? problem.line : std::numeric_limits<std::uint32_t>::max();
  };
  std::ranges::stable_sort(problems, {}, line);
  return std::unexpected(std::move(problems));
}

}  // namespace ringwall::config
