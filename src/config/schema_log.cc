// The rows of the log.
#include <ringwall/config/schema.h>

#include "rows.h"

namespace ringwall::config {
namespace {

constexpr std::uint64_t lines_per_s_max = 10'000;

}  // namespace

template <>
std::span<const Field<Log>> fields() {
  using S = Log;
  static const std::array rows{
      choice("level", &S::level, "The least grave lines to write."),
      fixed(
          choice("format", &S::format,
                 "text: a sentence and fields. json: an object a line. Under systemd either has its severity in front, "
                 "which the journal takes off.")),
      number("sessions_per_s", &S::sessions_per_s, Unit::none, 0, lines_per_s_max,
             "Ended sessions that a shard tells of within a second, of each reason to end; the rest is counted. They "
             "are lines of level info, with the client's address.",
             "none"),
      number("denials_per_s", &S::denials_per_s, Unit::none, 0, lines_per_s_max,
             "Denied calls that a shard tells of within a second, of each reason to deny; the rest is counted.",
             "none"),
  };
  return rows;
}

template <>
std::span<const std::pair<std::string_view, log::Level>> words() {
  static constexpr std::array<std::pair<std::string_view, log::Level>, 4> rows{{{"debug", log::Level::debug},
                                                                                {"info", log::Level::info},
                                                                                {"warning", log::Level::warning},
                                                                                {"error", log::Level::error}}};
  return rows;
}

template <>
std::span<const std::pair<std::string_view, log::Format>> words() {
  static constexpr std::array<std::pair<std::string_view, log::Format>, 2> rows{
      {{"text", log::Format::text}, {"json", log::Format::json}}};
  return rows;
}

}  // namespace ringwall::config
