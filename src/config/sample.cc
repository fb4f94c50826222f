#include <ringwall/config/sample.h>

#include <string_view>
#include <variant>

#include <fmt/core.h>

#include <ringwall/check.h>
#include <ringwall/config/schema.h>
#include <ringwall/config/value.h>

namespace ringwall::config {
namespace {

constexpr std::size_t columns_max = 100;

constexpr std::string_view introduction =
    "Ringwall's configuration: every setting with its default, or with an example where it has none. A line that "
    "begins "
    "with '#' and a setting can be used by taking the '#' away. Sizes take B, KiB, MiB and GiB, times take ms, s, m, h "
    "and d. The command line goes over the environment (RINGWALL_TIMEOUTS_HEAD_MS=5s), and that over this file. "
    "Check it with: ringwall check --config FILE";

// Broken between words into comment lines.
std::string comment(std::string_view text) {
  std::string lines = "#";
  std::size_t column = 1;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    if (column + 1 + end > columns_max) {
      lines += "\n#";
      column = 1;
    }
    lines += fmt::format(" {}", text.substr(0, end));
    column += 1 + end;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines + "\n";
}

// What a field can be, where its type does not say so by itself.
template <typename Section>
std::string range_of(const Field<Section>& field) {
  if (field.row.maximum > 0) {
    return " " + bounds_text(field.row) + ".";
  }
  if (std::holds_alternative<log::Level Section::*>(field.member)) {
    return " One of " + words_text<log::Level>() + ".";
  }
  return "";
}

// Of a field, or of a section as far as its fields do not say otherwise: how a change of it takes effect.
constexpr std::string_view with_reload = " A reload takes changes.";
constexpr std::string_view with_restart = " A change needs a restart.";

std::string_view change_of(const Row& row) {
  if (!row.live) return "";
  return *row.live ? with_reload : with_restart;
}

// The fields that stand as they are; all others are comments.
bool is_live(SectionId id, std::string_view name) {
  return (id == SectionId::listener && name == "self_signed") ||
         (id == SectionId::upstream && (name == "name" || name == "address"));
}

template <typename Section>
std::string section_text(SectionId id) {
  const SectionRow& row = section(id);
  const Section defaults{};
  std::string text = "\n" + comment(std::string(row.help).append(row.live ? with_reload : with_restart));
  text += fmt::format(fmt::runtime(row.count_max > 1 ? "{}[[{}]]\n" : "{}[{}]\n"), row.in_sample ? "" : "# ", row.path);
  for (const Field<Section>& field : fields<Section>()) {
    const std::string value =
        std::visit([&](auto member) { return value_text(defaults.*member, field.row); }, field.member);
    text += "\n" + comment(std::string(field.row.help).append(range_of(field)).append(change_of(field.row)));
    text += fmt::format("{}{} = {}\n", is_live(id, field.row.name) ? "" : "# ", field.row.name,
                        field.row.example.empty() ? value : field.row.example);
  }
  return text;
}

}  // namespace

std::string sample() {
  std::string text = comment(introduction);
  for (const SectionRow& row : sections()) {
    switch (row.id) {
      case SectionId::server:
        text += section_text<Server>(row.id);
        break;
      case SectionId::log:
        text += section_text<Log>(row.id);
        break;
      case SectionId::admin:
        text += section_text<Admin>(row.id);
        break;
      case SectionId::tls:
        text += section_text<Tls>(row.id);
        break;
      case SectionId::methods:
        text += section_text<Methods>(row.id);
        break;
      case SectionId::limits:
        text += section_text<Limits>(row.id);
        break;
      case SectionId::timeouts:
        text += section_text<Timeouts>(row.id);
        break;
      case SectionId::listener:
        text += section_text<Listener>(row.id);
        break;
      case SectionId::certificate:
        text += section_text<Certificate>(row.id);
        break;
      case SectionId::route:
        text += section_text<Route>(row.id);
        break;
      case SectionId::upstream:
        text += section_text<Upstream>(row.id);
        break;
    }
  }
  return text;
}

}  // namespace ringwall::config
