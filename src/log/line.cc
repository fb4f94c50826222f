#include <ringwall/log/line.h>

#include <ringwall/check.h>
#include <ringwall/log/escape.h>

#include <array>
#include <charconv>

namespace ringwall::log {

namespace {

constexpr std::array<std::string_view, 4> level_names = {"debug", "info", "warning", "error"};

void append_number(std::string& out, std::uint64_t number, std::size_t digits_min = 1) {
  std::array<char, 20> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), number);
  const auto count = static_cast<std::size_t>(end - digits.data());
  out.append(digits_min > count ? digits_min - count : 0, '0').append(digits.data(), count);
}

// By arithmetic: gmtime_r(3) takes a lock.
void append_time(std::string& out, Time time) {
  namespace chrono = std::chrono;
  const auto ms = chrono::floor<chrono::milliseconds>(time);
  const auto day = chrono::floor<chrono::days>(ms);
  const chrono::year_month_day date{day};
  const chrono::hh_mm_ss clock{ms - day};
  append_number(out, static_cast<std::uint64_t>(static_cast<int>(date.year())), 4);
  const auto append_part = [&](char before, auto number, std::size_t digits) {
    out += before;
    append_number(out, static_cast<std::uint64_t>(number), digits);
  };
  append_part('-', static_cast<unsigned>(date.month()), 2);
  append_part('-', static_cast<unsigned>(date.day()), 2);
  append_part('T', clock.hours().count(), 2);
  append_part(':', clock.minutes().count(), 2);
  append_part(':', clock.seconds().count(), 2);
  append_part('.', clock.subseconds().count(), 3);
  out += 'Z';
}

void append_span(std::string& out, Span span) {
  const std::uint64_t ms = span.ns / 1'000'000;
  append_number(out, ms / 1000);
  out += '.';
  append_number(out, ms % 1000, 3);
}

struct AppendField {
  std::string& out;
  Format format;

  void operator()(std::string_view value) const {
    if (format == Format::json) return append_json(out, value, value_bytes_max);
    append_value(out, value, value_bytes_max);
  }
  void operator()(std::uint64_t value) const { append_number(out, value); }
  void operator()(bool value) const { out += value ? "true" : "false"; }
  void operator()(Span value) const { append_span(out, value); }
};

void append_as_text(std::string& out, const Line& line, bool is_journal, Time time) {
  if (!is_journal) {
    append_time(out, time);
    out.append(" ").append(name(line.level)).append(" ");
  }
  append_sentence(out, line.sentence, sentence_bytes_max);
  for (const Field& field : line.fields) {
    out.append(" ").append(field.name).append("=");
    std::visit(AppendField{out, Format::text}, field.value);
  }
}

void append_as_json(std::string& out, const Line& line, Time time) {
  out += R"({"time":")";
  append_time(out, time);
  out.append(R"(","level":")").append(name(line.level)).append(R"(","event":)");
  append_json(out, line.event, value_bytes_max);
  out += R"(,"message":)";
  append_json(out, line.sentence, sentence_bytes_max);
  for (const Field& field : line.fields) {
    out.append(",\"").append(field.name).append("\":");
    std::visit(AppendField{out, Format::json}, field.value);
  }
  out += '}';
}

}  // namespace

std::string_view name(Level level) {
  const auto index = static_cast<std::size_t>(level);
  RINGWALL_CHECK(index < level_names.size());
  return level_names[index];
}

int syslog_severity(Level level) {
  switch (level) {
    case Level::debug:
      return 7;
    case Level::info:
      return 6;
    case Level::warning:
      return 4;
    case Level::error:
      return 3;
  }
  return 6;
}

void append_line(std::string& out, const Line& line, const Style& style, Time time) {
  if (style.is_journal) {
    out += '<';
    append_number(out, static_cast<std::uint64_t>(syslog_severity(line.level)));
    out += '>';
  }
  if (style.format == Format::json) {
    append_as_json(out, line, time);
  } else {
    append_as_text(out, line, style.is_journal, time);
  }
  out += '\n';
}

}  // namespace ringwall::log
