// schema.h: the one table of settings, a row for each field.
//
// Loading, defaults, --set, RINGWALL_… variables, the commented sample and the messages all come from these rows. A new
// setting is a member in config.h and a row in schema.cc. Everything here is constant; any thread may read it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <ringwall/config/config.h>
#include <ringwall/config/syntax.h>
#include <ringwall/config/units.h>

namespace ringwall::config {

// The types that a field can have. Numbers carry a unit and bounds, texts a syntax.
template <typename Section>
using Member =
    std::variant<std::uint32_t Section::*, std::uint64_t Section::*, std::string Section::*,
                 std::vector<std::string> Section::*, Endpoint Section::*, std::vector<Endpoint> Section::*,
                 std::vector<Cidr> Section::*, log::Level Section::*, log::Format Section::*, ListenerKind Section::*,
                 Mode Section::*, std::optional<Mode> Section::*, HostHeader Section::*, ProxyProtocol Section::*,
                 rpc::Policy Section::*, Switch Section::*, OverRate Section::*, Offload Section::*,
                 DrainCode Section::*, Balance Section::*, Changes Section::*>;

// What a row says besides where the value lives.
struct Row {
  std::string_view name;
  std::string_view help;       // Sentences for the sample.
  std::string_view example{};  // TOML for the sample where the default is no use as an example.
  Unit unit = Unit::none;
  std::uint64_t minimum = 0;
  std::uint64_t maximum = 0;
  std::string_view zero{};         // How 0 is written and read where it has a meaning of its own: "auto".
  const Syntax* syntax = nullptr;  // Of texts.
  bool bind = false;               // Of addresses: to listen on; else to connect to.
  std::optional<bool> live{};      // Where it is otherwise than in the rest of its section (SectionRow::live).
};

template <typename Section>
struct Field {
  Row row;
  Member<Section> member;
};

// The rows of Server, Log, Admin, Tls, Methods, Limits, Timeouts, Listener, Certificate, Route and Upstream, in the
// order of the sample.
template <typename Section>
[[nodiscard]] std::span<const Field<Section>> fields();

enum class SectionId : std::uint8_t {
  server,
  log,
  admin,
  tls,
  methods,
  limits,
  timeouts,
  listener,
  certificate,
  route,
  upstream
};

struct SectionRow {
  SectionId id;
  std::string_view path;  // "listener.certificate".
  std::size_t count_max;  // 1: a table; more: an array of tables.
  bool in_sample;         // Written as it stands; else as a comment.
  bool live;              // Its fields can change while Ringwall runs: a reload takes them. Else they need a restart.
  std::string_view help;
};

[[nodiscard]] std::span<const SectionRow> sections();
[[nodiscard]] const SectionRow& section(SectionId id);
// Whether a reload takes a change of it.
[[nodiscard]] bool is_live(SectionId id, const Row& row);

// The words of a choice, in the order of the sample.
template <typename Choice>
[[nodiscard]] std::span<const std::pair<std::string_view, Choice>> words();

// All fields as "listener.certificate.cert", for suggestions and tests.
[[nodiscard]] const std::vector<std::string>& field_paths();

}  // namespace ringwall::config
