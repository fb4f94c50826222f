#include <ringwall/config/apply.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <variant>

#include <fmt/core.h>

#include <ringwall/config/schema.h>
#include <ringwall/config/suggestion.h>
#include <ringwall/config/value.h>

namespace ringwall::config {
namespace {

std::string index_expected(std::size_t count, const SectionRow& row) {
  return count < row.count_max ? fmt::format("at most {}, since {} of them are there", count, count)
                               : fmt::format("no more than {} of them", row.count_max);
}

std::string_view last_part(std::string_view path) { return path.substr(path.rfind('.') + 1); }

std::optional<std::string> nearest_in_last_part(std::string_view name, const std::vector<std::string>& paths) {
  std::vector<std::string> parts;
  for (const std::string& path : paths) {
    parts.emplace_back(last_part(path));
  }
  const std::optional<std::string> part = nearest(name, parts);
  return part ? std::optional(paths[static_cast<std::size_t>(std::ranges::find(parts, *part) - parts.begin())])
              : std::nullopt;
}

std::vector<std::string> section_paths() {
  std::vector<std::string> paths;
  for (const SectionRow& row : sections()) {
    paths.emplace_back(row.path);
  }
  return paths;
}

// "listener[0].address" for "listener.0.address"; nothing for a path without a number as a step.
std::optional<std::string> with_brackets(const FieldPath& path) {
  std::string text;
  bool found = false;
  for (const Step& step : path) {
    const bool is_index =
        !text.empty() && !step.name.empty() && step.name.find_first_not_of("0123456789") == step.name.npos;
    found = found || is_index;
    text += is_index ? "[" + step.name + "]" : (text.empty() ? "" : ".") + to_text(FieldPath{step});
  }
  return found ? std::optional(text) : std::nullopt;
}

// One application: walks the path from the left, creating repeated sections as it goes.
class Application {
 public:
  Application(const Given& given, Config& config, Ledger& ledger)
      : given_(given), config_(config), ledger_(ledger), path_(given.path) {}

  void run() {
    const std::string_view name = path_[0].name;
    if (name == section(SectionId::server).path) {
      single(config_.server, SectionId::server);
    } else if (name == section(SectionId::log).path) {
      single(config_.log, SectionId::log);
    } else if (name == section(SectionId::admin).path) {
      single(config_.admin, SectionId::admin);
    } else if (name == section(SectionId::tls).path) {
      single(config_.tls, SectionId::tls);
    } else if (name == section(SectionId::methods).path) {
      single(config_.methods, SectionId::methods);
    } else if (name == section(SectionId::limits).path) {
      single(config_.limits, SectionId::limits);
    } else if (name == section(SectionId::timeouts).path) {
      single(config_.timeouts, SectionId::timeouts);
    } else if (name == section(SectionId::upstream).path) {
      if (Upstream* const upstream = element(config_.upstreams, 0, SectionId::upstream)) {
        member(*upstream, 1, SectionId::upstream);
        // The one node of a later source goes over the list of an earlier one. In a file the list is read after it.
        if (path_.size() == 2 && path_[1].name == "address") upstream->addresses.clear();
      }
    } else if (name == section(SectionId::listener).path) {
      if (Listener* const listener = element(config_.listeners, 0, SectionId::listener)) {
        in_listener(*listener);
      }
    } else {
      unknown();
    }
  }

 private:
  template <typename Section>
  void single(Section& values, SectionId id) {
    if (path_[0].index) {
      report(fmt::format("[[{}]]", path_[0].name), fmt::format("[{}], which there is one of", path_[0].name));
      return;
    }
    member(values, 1, id);
  }

  void in_listener(Listener& listener) {
    const std::string_view name = path_.size() > 1 ? std::string_view(path_[1].name) : std::string_view();
    if (name == "certificate") {
      if (Certificate* const certificate = element(listener.certificates, 1, SectionId::certificate)) {
        member(*certificate, 2, SectionId::certificate);
      }
    } else if (name == "route") {
      if (Route* const route = element(listener.routes, 1, SectionId::route)) {
        member(*route, 2, SectionId::route);
      }
    } else {
      member(listener, 1, SectionId::listener);
    }
  }

  // The element that step `at` names, made if it is the next one; null if there is none, which is then reported.
  template <typename Element>
  Element* element(std::vector<Element>& elements, std::size_t at, SectionId id) {
    const SectionRow& row = section(id);
    const bool ends_here = at + 1 == path_.size();
    if (ends_here && given_.shape == Shape::list && given_.items.empty()) {
      return nullptr;  // `listener = []` says that there are none.
    }
    if (ends_here && given_.shape != Shape::section) {
      report(found_text(given_), fmt::format("a table: [[{}]]", row.path));
      return nullptr;
    }
    path_[at].index = path_[at].index.value_or(0);
    const std::size_t index = *path_[at].index;
    const std::string name = to_text(FieldPath(path_.begin(), path_.begin() + static_cast<std::ptrdiff_t>(at) + 1));
    if (index > elements.size() || index >= row.count_max) {
      if (ledger_.is_sound(name)) {
        ledger_.report_at(given_.place, name, fmt::format("index {}", index), index_expected(elements.size(), row));
      }
      return nullptr;
    }
    if (index == elements.size()) {
      elements.emplace_back();
    }
    return &elements[index];
  }

  template <typename Section>
  void member(Section& values, std::size_t at, SectionId id) {
    const std::string name = to_text(path_);
    if (at == path_.size()) {
      if (given_.shape == Shape::section) {
        ledger_.written(name, given_.place);
      } else {
        report(found_text(given_), fmt::format("a table: [{}]", section(id).path));
      }
      return;
    }
    const std::span<const Field<Section>> rows = fields<Section>();
    const auto field = std::ranges::find_if(rows, [&](const auto& row) { return row.row.name == path_[at].name; });
    if (field == rows.end() || at + 1 != path_.size() || path_[at].index) {
      unknown();
      return;
    }
    std::visit([&](auto pointer) { set(values.*pointer, field->row, name); }, field->member);
  }

  template <typename T>
  void set(T& value, const Row& row, const std::string& name) {
    ledger_.written(name, given_.place);
    Read<T> read_value = read<T>(given_, row);
    if (read_value) {
      value = std::move(*read_value);
    } else {
      report(found_text(given_), read_value.error());
    }
  }

  // A section that is unknown is reported once, not again for each field in it.
  void unknown() {
    for (FieldPath parent(path_.begin(), path_.end() - 1); !parent.empty(); parent.pop_back()) {
      if (!ledger_.is_sound(to_text(parent))) {
        ledger_.mark_unsound(to_text(path_));
        return;
      }
    }
    const bool is_section = given_.shape == Shape::section;
    if (const auto bracketed = given_.shape == Shape::text ? with_brackets(given_.path) : std::nullopt) {
      report("an unknown field", *bracketed + ", with the index in brackets");
      return;
    }
    const std::optional<std::string> similar = is_section ? similar_section() : similar_field();
    report(is_section ? "an unknown section" : "an unknown field",
           similar ? fmt::format("a known one, {} perhaps", *similar) : "one that \"ringwall config\" shows");
  }

  std::optional<std::string> similar_section() const { return nearest(schema_text(path_), section_paths()); }

  // A field of this name in another section, or of nearly this name in this one or in any; else a section of nearly
  // this name. That both are in one section makes no two names alike.
  std::optional<std::string> similar_field() const {
    const std::string& name = path_.back().name;
    const std::string section = schema_text(FieldPath(path_.begin(), path_.end() - 1));
    const std::vector<std::string>& known = field_paths();
    std::vector<std::string> here;
    std::ranges::copy_if(known, std::back_inserter(here),
                         [&section](const std::string& path) { return path.substr(0, path.rfind('.')) == section; });
    std::optional<std::string> anywhere = nearest_in_last_part(name, known);
    if (anywhere && last_part(*anywhere) == name) {
      return anywhere;
    }
    if (std::optional<std::string> in_section = nearest_in_last_part(name, here)) {
      return in_section;
    }
    const std::optional<std::string> section_alike = nearest_in_last_part(name, section_paths());
    return !anywhere && section_alike ? "[" + *section_alike + "]" : anywhere;
  }

  void report(std::string found, std::string expected) {
    ledger_.report_at(given_.place, to_text(path_), std::move(found), std::move(expected));
  }

  const Given& given_;
  Config& config_;
  Ledger& ledger_;
  FieldPath path_;  // Of given_, with the index filled in where it was left out.
};

}  // namespace

void apply(const Given& given, Config& config, Ledger& ledger) { Application(given, config, ledger).run(); }

}  // namespace ringwall::config
