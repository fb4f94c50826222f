#include <ringwall/config/sample.h>

#include <algorithm>
#include <fstream>
#include <sstream>

#include <fmt/core.h>

#include <ringwall/config/load.h>
#include <ringwall/config/schema.h>

#include "unit/catch.h"

using namespace ringwall::config;

namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) {
    lines.push_back(line);
  }
  return lines;
}

// "# name = value": a setting that can be used by taking the '#' away; prose has no " = ".
bool is_setting(const std::string& line) { return line.starts_with("# ") && line.find(" = ") != line.npos; }

bool is_table(const std::string& line) { return line.starts_with("# [["); }

Sources from_text(std::string text) { return {.file = "sample", .text = std::move(text), .check_files = false}; }

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    text += line + "\n";
  }
  return text;
}

}  // namespace

TEST_CASE("the sample is a valid configuration, with every default") {
  Sources sources = from_text(sample());
  sources.check_files = true;
  const auto config = load(sources);
  REQUIRE(config);
  Config expected;
  expected.listeners.push_back({.self_signed = {"localhost", "127.0.0.1"}});
  expected.upstreams.emplace_back();
  expected.server.state_dir = config->server.state_dir;
  expected.listeners[0].address = {"", 443};
  expected.listeners[0].upstream = "node";
  CHECK(*config == expected);
}

TEST_CASE("every section is in the sample once") {
  const std::vector<std::string> lines = lines_of(sample());
  for (const SectionRow& row : sections()) {
    const std::string table = row.count_max > 1 ? fmt::format("[[{}]]", row.path) : fmt::format("[{}]", row.path);
    INFO(table);
    CHECK(std::ranges::count(lines, (row.in_sample ? "" : "# ") + table) == 1);
  }
}

TEST_CASE("every field is in the sample") {
  const std::string text = sample();
  for (const std::string& path : field_paths()) {
    const std::string name = path.substr(path.rfind('.') + 1);
    INFO(path);
    CHECK((text.find("\n# " + name + " = ") != text.npos || text.find("\n" + name + " = ") != text.npos));
  }
  CHECK(text.find("[[listener.certificate]]") != text.npos);
}

TEST_CASE("every setting of the sample can be used by taking its # away") {
  const std::vector<std::string> all = lines_of(sample());
  std::size_t used = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!is_setting(all[i]) || all[i].starts_with("# acme_webroot")) {
      continue;
    }
    std::vector<std::string> lines = all;
    for (std::size_t j = 0; j < lines.size(); ++j) {
      const bool same_certificate = all[j].starts_with("# cert =") || all[j].starts_with("# key =");
      const bool with_user = all[i].starts_with("# group") && all[j].starts_with("# user =");
      if (j == i || is_table(all[j]) || same_certificate || with_user) {
        lines[j] = all[j].substr(2);
      }
    }
    const auto config = load(from_text(joined(lines)));
    INFO(all[i] << (config ? "" : "\n" + to_text(config.error().front())));
    CHECK(config);
    ++used;
  }
  CHECK(used + 1 + 3 == field_paths().size());  // acme_webroot is left out above, three fields are no comments.
}

TEST_CASE("a default in the sample is the default in the program") {
  static constexpr std::array<std::string_view, 9> examples = {"# address = ", "# trusted_proxies", "# upstream",
                                                               "# origins",    "# allow",           "# deny",
                                                               "# exempt",     "# costs",           "# runtime_apis"};
  const std::vector<std::string> all = lines_of(sample());
  std::vector<std::string> lines;
  for (const std::string& line : all) {
    const bool has_default = line.find("= \"/") == line.npos && line.find("example") == line.npos &&
                             !line.starts_with("# user") && !line.starts_with("# group");
    if (line.starts_with("# [[listener.certificate]]")) {
      break;
    }
    const bool example = std::ranges::any_of(examples, [&](std::string_view name) { return line.starts_with(name); });
    lines.push_back(is_setting(line) && has_default && !example ? line.substr(2) : line);
  }
  const auto with = load(from_text(joined(lines)));
  const auto without = load(from_text(sample()));
  REQUIRE(with);
  REQUIRE(without);
  CHECK(*with == *without);
}

TEST_CASE("deploy/ringwall.toml is the sample") {
  std::ifstream file(RINGWALL_SAMPLE);
  std::stringstream text;
  text << file.rdbuf();
  CHECK(text.str() == sample());
}

TEST_CASE("the sample's lines fit a terminal") {
  for (const std::string& line : lines_of(sample())) {
    INFO(line);
    CHECK(line.size() <= 100);
    CHECK((line.empty() || line.back() != ' '));
  }
}
