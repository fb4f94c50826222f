#include <ringwall/metrics/text.h>

#include <set>
#include <string>

#include "unit/catch.h"

using namespace ringwall::metrics;

namespace {

std::string sample_of(std::string_view label) {
  TextWriter out;
  out.family(Metric::upstream_places);
  out.sample({label}, std::uint64_t{7});
  const std::string text = out.take();
  return text.substr(text.rfind("ringwall_upstream_places"));
}

}  // namespace

TEST_CASE("a family has its help, its type and its samples") {
  TextWriter out;
  out.family(Metric::connections_opened);
  out.sample({}, std::uint64_t{18'446'744'073'709'551'615U});
  CHECK(out.take() ==
        "# HELP ringwall_connections_opened_total Client connections that were let in.\n"
        "# TYPE ringwall_connections_opened_total counter\n"
        "ringwall_connections_opened_total 18446744073709551615\n");
}

TEST_CASE("labels stand in the catalogue's order") {
  TextWriter out;
  out.family(Metric::loop_seconds);
  out.sample({"3", "idle"}, 1.5);
  CHECK(out.take().ends_with("ringwall_loop_seconds_total{shard=\"3\",part=\"idle\"} 1.5\n"));
}

TEST_CASE("a label's value cannot leave its quotes nor its line") {
  CHECK(sample_of("a\"} 1\nb") == "ringwall_upstream_places{upstream=\"a\\\"} 1\\nb\"} 7\n");
  CHECK(sample_of("back\\slash") == "ringwall_upstream_places{upstream=\"back\\\\slash\"} 7\n");
}

TEST_CASE("what is UTF-8 stays, and what is not becomes question marks") {
  CHECK(sample_of("k\xC3\xBCrzel \xE2\x82\xAC \xF0\x9F\xA6\x80").find("k\xC3\xBCrzel \xE2\x82\xAC \xF0\x9F\xA6\x80") !=
        std::string::npos);
  const std::pair<const char*, const char*> wrong[] = {
      {"\xC3", "?"},                 // cut short
      {"\x80", "?"},                 // begins nowhere
      {"\xC0\xAF", "??"},            // longer than it has to be
      {"\xE0\x80\xAF", "???"},       // the same in three bytes
      {"\xED\xA0\x80", "???"},       // a surrogate
      {"\xF4\x90\x80\x80", "????"},  // beyond U+10FFFF
      {"\xF5\x80\x80\x80", "????"},  // no character begins so
  };
  for (const auto& [bytes, expected] : wrong) {
    CHECK(sample_of(bytes) == "ringwall_upstream_places{upstream=\"" + std::string(expected) + "\"} 7\n");
  }
}

TEST_CASE("a histogram is cumulative, and its last bucket is its count") {
  Histogram histogram;
  histogram.observe(400'000);
  histogram.observe(700'000);
  histogram.observe(60'000'000'000);
  TextWriter out;
  out.family(Metric::call_duration);
  out.sample({"cheap"}, histogram);
  const std::string text = out.take();
  const auto has = [&](const std::string& line) {
    return text.find("\nringwall_call_duration_seconds" + line + "\n") != text.npos;
  };
  CHECK(has("_bucket{class=\"cheap\",le=\"0.0005\"} 1"));
  CHECK(has("_bucket{class=\"cheap\",le=\"0.001\"} 2"));
  CHECK(has("_bucket{class=\"cheap\",le=\"30\"} 2"));
  CHECK(has("_bucket{class=\"cheap\",le=\"+Inf\"} 3"));
  CHECK(has("_sum{class=\"cheap\"} 60.0011"));
  CHECK(has("_count{class=\"cheap\"} 3"));
}

TEST_CASE("no two metrics have one name") {
  std::set<std::string_view> names;
  for (const Row& row : catalogue()) CHECK(names.insert(row.name).second);
  CHECK(names.size() == metrics);
}
