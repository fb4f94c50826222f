// line.h: one line of the log: what happened, in a sentence and in typed fields.
//
// A value of views, which need to live for the call alone. Never in a line: payloads, cookies, Authorization, queries,
// keys. What a client or node said may stand in a field and in the sentence: it is escaped (escape.h) and cut.
// Pure; any thread.
//
// text:    2026-11-30T19:33:41.123Z warning the node is gone node="my node" seconds=1.500
// journal: <4>the node is gone node="my node" seconds=1.500    (systemd takes the severity off and has its own time)
// json:    {"time":"2026-11-30T19:33:41.123Z","level":"warning","event":"node_gone","message":"the node is gone",...}
#pragma once

#include <ringwall/log/level.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace ringwall::log {

// Of a sentence and of a field, before they are escaped. What is longer is cut.
inline constexpr std::size_t sentence_bytes_max = 8 * 1024;
inline constexpr std::size_t value_bytes_max = 512;

// A time span, written as seconds with three decimals.
struct Span {
  std::uint64_t ns = 0;
};

struct Field {
  std::string_view name;  // a word of ours: letters, digits and '_'
  std::variant<std::string_view, std::uint64_t, bool, Span> value;
};

struct Line {
  Level level = Level::info;
  std::string_view event;  // a word for programs, which stays when the sentence is bettered
  std::string_view sentence;
  std::span<const Field> fields;
};

// Where lines go.
using Sink = std::function<void(const Line&)>;

struct Style {
  Format format = Format::text;
  bool is_journal = false;
};

using Time = std::chrono::system_clock::time_point;

// With its newline, and no other in it.
void append_line(std::string& out, const Line& line, const Style& style, Time time);

}  // namespace ringwall::log
