#include "load/report.h"

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>
#include <string>

#include "load/text_grid.h"
#include "unit/catch.h"
#include "unit/load/sample_report.h"

namespace {

using namespace ringwall;
using namespace ringwall::load;
using namespace ringwall::load::test;

std::size_t widest(const std::string& text) {
  std::istringstream lines(text);
  std::size_t width = 0;
  for (std::string line; std::getline(lines, line);) width = std::max(width, width_of(line));
  return width;
}

}  // namespace

TEST_CASE("the JSON has the keys that scripts read, with their values", "[report]") {
  simdjson::dom::parser parser;
  const auto document = parsed(parser, json(report_of()));
  CHECK(double(document["measured_s"]) == 2);
  CHECK(std::int64_t(document["format"]) == json_format);
  CHECK(std::uint64_t(document["flow"]["calls_sent"]) == 110);
  CHECK(std::uint64_t(document["flow"]["answers"]) == 100);
  CHECK(std::uint64_t(document["flow"]["answers_in_time"]) == 90);
  CHECK(double(document["rate"]) == 45);
  for (const char* key :
       {"notifications", "handshakes", "handshakes_resumed", "connections_opened", "bytes_sent", "bytes_received"}) {
    CHECK(document["flow"][key].is_uint64());
  }
  for (const char* latency : {"latency_ns", "connect_ns", "spread_ns"}) {
    for (const char* key : {"count", "min", "mean", "p50", "p75", "p90", "p95", "p99", "p999", "p9999", "max"}) {
      CHECK(document[latency][key].is_number());
    }
    CHECK(document[latency]["percentiles"].is_array());
  }
  CHECK(std::uint64_t(document["latency_ns"]["min"]) == ms);
  CHECK(std::uint64_t(document["latency_ns"]["max"]) == 100 * ms);
  CHECK(double(document["target"]["cpu_user_us"]) == 1000);
  CHECK(double(document["target"]["cpu_system_us"]) == 500);
  CHECK(std::uint64_t(document["target"]["rss_before_bytes"]) == 1 << 20);
  CHECK(std::uint64_t(document["target"]["rss_after_bytes"]) == 3 << 20);
  CHECK(double(document["seconds"].at(0)["target_cpu_us"]) == 1500);
  CHECK(document["seconds"].at(1)["target_cpu_us"].is_null());
  CHECK(double(document["own_cpu_us"]) == 2000);
  CHECK(std::uint64_t(document["troubles"]["total"]) == 2);
  CHECK(std::uint64_t(document["troubles"]["by_kind"]["answer_timeout"]) == 1);
  CHECK(std::uint64_t(document["troubles"]["by_kind"]["connect_refused"]) == 0);
  CHECK(bool(document["held"]));
  CHECK(document["search"].is_null());
}

TEST_CASE("percentiles for plots rise, from the least to the longest", "[report]") {
  simdjson::dom::parser parser;
  double percent_before = -1;
  std::uint64_t value_before = 0;
  std::size_t points = 0;
  for (const auto point : parsed(parser, json(report_of()))["latency_ns"]["percentiles"].get_array()) {
    const double percent = double(point.at(0));
    const std::uint64_t value = std::uint64_t(point.at(1));
    CHECK(percent > percent_before);
    CHECK(value >= value_before);
    percent_before = percent;
    value_before = value;
    ++points;
  }
  CHECK(points > 15);
  CHECK(percent_before == 100);
  CHECK(value_before == 100 * ms);
}

TEST_CASE("whatever an endpoint says, the JSON is valid and keeps what is text", "[report]") {
  Report report = report_of();
  report.outcome.tally.calls[0].name = hostile_text;
  report.asked.mix_name = hostile_text;
  report.remarks = {hostile_text};
  const std::string text = json(report);
  CHECK(std::ranges::all_of(text, [](char byte) { return byte == '\n' || (byte >= 0x20 && byte < 0x7F); }));
  simdjson::dom::parser parser;
  const std::string_view name = parsed(parser, text)["calls"].at(0)["name"];
  CHECK(name.starts_with("-32000 </script>"));
  CHECK(name.ends_with("\x01\xEF\xBF\xBD\xEF\xBF\xBD é"));
}

TEST_CASE("values of headers may be secrets and are told nowhere", "[report]") {
  const Report report = report_of();
  for (const std::string& text : {json(report), html(report), table(report, 120)}) CHECK(!has(text, "secret-token"));
  CHECK(has(json(report), "Authorization"));
}

TEST_CASE("no text ends the script that the report's figures stand in", "[report]") {
  Report report = report_of();
  report.remarks = {hostile_text, "<!--<script>", "</SCRIPT >"};
  const std::string page = html(report);
  const std::string opening = "<script type=\"application/json\" id=\"report\">";
  const std::size_t begin = page.find(opening);
  REQUIRE(begin != std::string::npos);
  const std::size_t end = page.find("</script>", begin);
  const std::string inside = page.substr(begin + opening.size(), end - begin - opening.size());
  CHECK(!has(inside, "<"));
  CHECK(!has(inside, ">"));
  simdjson::dom::parser parser, other;
  CHECK(simdjson::to_string(parsed(parser, inside)) == simdjson::to_string(parsed(other, json(report))));
  // The figures, the code, and nothing else.
  std::size_t scripts = 0;
  for (std::size_t at = 0; (at = page.find("<script", at)) != std::string::npos; ++at) ++scripts;
  CHECK(scripts == 2);
}

TEST_CASE("the page loads nothing", "[report]") {
  const std::string page = html(report_of());
  CHECK(has(page, "default-src 'none'"));
  for (const char* part : {"src=", "href=", "@import", "url(", "fetch(", "innerHTML"}) CHECK(!has(page, part));
  CHECK(!has(page, "@REPORT@"));
}

TEST_CASE("the table fits 80 and 120 columns and shows what does", "[report]") {
  Report report = report_of();
  report.outcome.tally.calls[0].name = std::string(200, 'm');
  report.outcome.tally.flow.calls_sent = 123'456'789'012;
  report.remarks = {
      "A remark that is so long that it goes on in a second line, which begins below the first, at its text and no "
      "further left."};
  report.found = Found{.limit = "At 12,345/s the endpoint did not keep the bounds: p99 61.2 ms."};
  for (const unsigned columns : {80U, 120U}) {
    const std::string text = table(report, columns);
    INFO(text);
    CHECK(widest(text) <= columns);
    for (const char* part :
         {"wss://rpc.example.com:8443/", "p50", "p99", "errors", "rpc_error", "answer_timeout", "(1.00 MiB"}) {
      CHECK(has(text, part));
    }
    CHECK(std::ranges::none_of(text, [](char byte) { return byte == '\x1b' || byte == '\x01'; }));
  }
  CHECK(has(table(report_of(), 120), "p90"));
}

TEST_CASE("every mode has its table, its JSON and its page", "[report]") {
  for (const Mode mode : {Mode::calls, Mode::handshake, Mode::idle, Mode::subscribe, Mode::hostile}) {
    Report report = report_of(mode);
    report.outcome.tally.spread.record(ms, 20);
    report.outcome.tally.flow.notifications = 20;
    report.outcome.hostile.troubles.note(Trouble::connection_closed, "1008");
    simdjson::dom::parser parser;
    CHECK(std::string_view(parsed(parser, json(report))["plan"]["mode"]) == name(mode));
    CHECK(parsed(parser, json(report))["hostile"].is_null() == (mode != Mode::hostile));
    CHECK(has(table(report, 80), name(mode) == "calls" ? "state_getStorage" : "endpoint"));
    CHECK(html(report).size() > 10'000);
  }
}

TEST_CASE("what is answered after the end makes no rate higher and no call cheaper", "[report]") {
  Report report = report_of();
  report.asked.plan.rate = Rate{50, 50};
  CHECK(rate_of(Mode::calls, report.outcome) == 45);
  // Ninety good answers and an error: both were work.
  CHECK(has(table(report, 120), "16.5 µs CPU a call"));
  report.outcome.target.cpu_user_us = 235'000;
  CHECK(has(table(report, 120), "2.59 ms CPU a call"));
  CHECK(!remarks(report.asked.plan, report.outcome).empty());
  // Answers of one that is far away and keeps the rate: the first comes after half of the time.
  Tally& tally = report.outcome.tally;
  tally.latency = {};
  tally.latency.record(1000 * ms, 100);
  tally.flow.answers_in_time = 50;
  CHECK(std::abs(kept_rate(report.outcome) - 50) < 0.1);
  CHECK(remarks(report.asked.plan, report.outcome).empty());
}

TEST_CASE("connections of the warm-up are none of those that handshake mode measures", "[report]") {
  Report report = report_of(Mode::handshake);
  report.outcome.tally.flow.connections_opened = 300;
  CHECK(rate_of(Mode::handshake, report.outcome) == 45);
  CHECK(error_share(Mode::handshake, report.outcome.tally) == 2.0 / 102);
  CHECK(has(table(report, 120), "16.7 µs CPU a connection"));
  CHECK(has(html(report), "plan.mode === 'handshakes' ? report.flow.answers_in_time"));
  report.outcome.tally.flow.answers = 0;
  CHECK(!has_measured(Mode::handshake, report.outcome.tally));
}

TEST_CASE("texts of troubles are bounded, and all of them counted", "[report]") {
  Troubles troubles;
  for (int at = 0; at < 1000; ++at) troubles.note(Trouble::rpc_error, std::to_string(at) + std::string(10'000, 'x'));
  troubles.note(Trouble::upgrade, "403");
  CHECK(troubles.total() == 1001);
  CHECK(troubles.texts.size() == Troubles::texts_max);
  for (const auto& [text, count] : troubles.texts) CHECK(text.size() < 300);
  Troubles more;
  more.note(Trouble::rpc_error, "0" + std::string(10'000, 'x'));
  troubles.add(more);
  CHECK(troubles.total() == 1002);
  CHECK(std::ranges::any_of(troubles.texts, [](const auto& each) { return each.second == 2; }));
}

TEST_CASE("tallies add up call by call", "[report]") {
  Tally sum = report_of().outcome.tally;
  sum.add(report_of().outcome.tally);
  CHECK(sum.flow.calls_sent == 220);
  CHECK(sum.calls[0].sent == 220);
  CHECK(sum.calls[0].latency.count() == 200);
  CHECK(sum.latency.count() == 200);
  CHECK(sum.troubles.total() == 4);
  Tally fresh;
  fresh.add(sum);
  CHECK(fresh.calls.size() == 2);
  CHECK(fresh.calls[1].name == "system_health");
}

TEST_CASE("every kind of trouble has a name of its own", "[report]") {
  std::set<std::string_view> names;
  std::set<std::string_view> meanings;
  constexpr std::size_t meaning_columns = 46;  // beside its count and its name in 80
  for (std::size_t kind = 0; kind < trouble_count; ++kind) {
    names.insert(name(static_cast<Trouble>(kind)));
    meanings.insert(meaning(static_cast<Trouble>(kind)));
    CHECK(meaning(static_cast<Trouble>(kind)).size() <= meaning_columns);
  }
  CHECK(names.size() == trouble_count);
  CHECK(meanings.size() == trouble_count);
}
