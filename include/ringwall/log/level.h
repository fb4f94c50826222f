// level.h: how grave a line of the log is, and how it is written. Values.
#pragma once

#include <cstdint>
#include <string_view>

namespace ringwall::log {

enum class Level : std::uint8_t { debug, info, warning, error };

// text: a sentence and KEY=VALUE behind it. json: an object a line.
enum class Format : std::uint8_t { text, json };

// As the configuration writes it: "warning".
[[nodiscard]] std::string_view name(Level level);
// Of syslog: 3 for an error to 7 for debug. Source: RFC 5424 section 6.2.1.
[[nodiscard]] int syslog_severity(Level level);

}  // namespace ringwall::log
