// field_path.h: the name of a field, with indices: "listener[0].certificate[1].cert".
//
// Values only. A path need not be one of the schema: what a hostile file names is a path too, and is then reported.
#pragma once

#include <compare>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::config {

struct Step {
  std::string name;
  std::optional<std::size_t> index{};

  friend auto operator<=>(const Step&, const Step&) = default;
};

using FieldPath = std::vector<Step>;

inline constexpr std::size_t path_steps_max = 4;  // The schema's deepest has 3.

// Of --set: names of a-z, 0-9, '_' and '-', indices below 10,000. Nothing if it is written otherwise.
[[nodiscard]] std::optional<FieldPath> parse_field_path(std::string_view text);

// Of RINGWALL_LISTENER_0_CERTIFICATE_1_CERT and the like. Nothing for every other variable, so too for those that
// Kubernetes sets for a service called ringwall (RINGWALL_PORT, RINGWALL_SERVICE_HOST).
[[nodiscard]] std::optional<FieldPath> path_of_variable(std::string_view name);

// Of RINGWALL_LISTNER_ADDRESS: the section that was meant, "listener". Nothing for what resembles none.
[[nodiscard]] std::optional<std::string> misspelt_section(std::string_view name);

// With indices, as problems name it; any bytes.
[[nodiscard]] std::string to_text(const FieldPath& path);

// Without indices, as the schema names it.
[[nodiscard]] std::string schema_text(const FieldPath& path);

}  // namespace ringwall::config
