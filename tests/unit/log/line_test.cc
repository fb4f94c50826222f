#include <ringwall/log/line.h>

#include "unit/catch.h"

#include <nlohmann/json.hpp>

#include <chrono>
#include <cstdint>
#include <string>

namespace ringwall::log {
namespace {

const Time some_time = Time(std::chrono::milliseconds(1'796'067'221'007));  // 2026-11-30T19:33:41.007Z

const Field some_fields[] = {{"client", "192.0.2.1"},
                             {"who", "some body"},
                             {"calls", std::uint64_t{18'446'744'073'709'551'615U}},
                             {"resumed", true},
                             {"seconds", Span{61'007'900'000}}};

std::string text_of(const Line& line, const Style& style, Time time = some_time) {
  std::string out;
  append_line(out, line, style, time);
  return out;
}

TEST_CASE("a line of text has its time, its level, a sentence and fields") {
  const Line line{.level = Level::warning, .event = "gone", .sentence = "it has gone", .fields = some_fields};
  CHECK(text_of(line, {}) ==
        "2026-11-30T19:33:41.007Z warning it has gone client=192.0.2.1 who=\"some body\" "
        "calls=18446744073709551615 resumed=true seconds=61.007\n");
}

TEST_CASE("the journal gets the severity in front, and has its own time") {
  const auto told = [](Level level, Format format) {
    return text_of({.level = level, .event = "e", .sentence = "s"}, {.format = format, .is_journal = true});
  };
  CHECK(told(Level::debug, Format::text) == "<7>s\n");
  CHECK(told(Level::info, Format::text) == "<6>s\n");
  CHECK(told(Level::warning, Format::text) == "<4>s\n");
  CHECK(told(Level::error, Format::text) == "<3>s\n");
  CHECK(told(Level::error, Format::json).starts_with("<3>{"));
}

TEST_CASE("a line of JSON is an object, with values of their types") {
  const Line line{.level = Level::error, .event = "gone", .sentence = "it \"has\" gone\n", .fields = some_fields};
  const std::string text = text_of(line, {.format = Format::json});
  CHECK(text.find('\n') == text.size() - 1);
  const auto parsed = nlohmann::json::parse(text);
  CHECK(parsed == nlohmann::json{{"time", "2026-11-30T19:33:41.007Z"},
                                 {"level", "error"},
                                 {"event", "gone"},
                                 {"message", "it \"has\" gone\n"},
                                 {"client", "192.0.2.1"},
                                 {"who", "some body"},
                                 {"calls", 18'446'744'073'709'551'615U},
                                 {"resumed", true},
                                 {"seconds", 61.007}});
}

TEST_CASE("a line is bounded, whatever is said") {
  const std::string said(1 << 20, '\x1b');
  const Field field{"who", said};
  const Line line{.event = "e", .sentence = said, .fields = {&field, 1}};
  CHECK(text_of(line, {}).size() < 4 * (sentence_bytes_max + value_bytes_max) + 100);
  CHECK(text_of(line, {.format = Format::json}).size() < 6 * (sentence_bytes_max + value_bytes_max) + 200);
}

TEST_CASE("years, months and seconds are those of the calendar") {
  using namespace std::chrono_literals;
  const auto at = [](std::chrono::seconds seconds) {
    return text_of({.event = "e", .sentence = "s"}, {}, Time(seconds));
  };
  CHECK(at(0s).starts_with("1970-01-01T00:00:00.000Z"));
  CHECK(at(951'827'696s).starts_with("2000-02-29T12:34:56.000Z"));
  CHECK(at(4'102'444'799s).starts_with("2099-12-31T23:59:59.000Z"));
}

}  // namespace
}  // namespace ringwall::log
