// sample_report.h: a report of a run that saw a little of everything, and how tests look into what is told of it.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "load/mix.h"
#include "load/report.h"
#include "load/target.h"
#include "unit/catch.h"

namespace ringwall::load::test {

inline constexpr std::uint64_t ms = 1'000'000;
inline constexpr const char* hostile_text =
    "-32000 </script><script>alert(1)</script><!-- \" \\ \x1b[31m \x01\xff\xfe é";

[[nodiscard]] inline Report report_of(Mode mode = Mode::calls) {
  Report report;
  report.asked.plan.target = *parse_url("wss://rpc.example.com:8443/x?<b>");
  report.asked.plan.target.addresses = *parse_sources("127.0.0.1");
  report.asked.plan.mode = mode;
  report.asked.plan.connections = 2;
  report.asked.plan.mix = *Mix::built_in("wallet");
  report.asked.plan.headers = {{"Authorization", "Bearer secret-token"}};
  report.asked.mix_name = "wallet";
  report.started_at = utc_now();
  report.machine = this_machine();
  Outcome& outcome = report.outcome;
  outcome.measured_s = 2;
  outcome.connections_open = 2;
  outcome.tally.flow = {
      .calls_sent = 110, .answers = 100, .answers_in_time = 90, .connections_opened = 2, .handshakes = 2};
  for (std::uint64_t at = 1; at <= 100; ++at) outcome.tally.latency.record(at * ms);
  outcome.tally.connect.record(5 * ms, 2);
  CallTally& call = outcome.tally.calls.emplace_back();
  call.name = "state_getStorage";
  call.sent = 110;
  call.answers_in_time = 90;
  call.errors = 10;
  call.latency = outcome.tally.latency;
  outcome.tally.calls.push_back({.name = "system_health"});
  outcome.tally.troubles.note(Trouble::rpc_error, hostile_text);
  outcome.tally.troubles.note(Trouble::answer_timeout);
  outcome.seconds = {{.at_s = 1, .answers = 50, .p50_ns = ms, .target_cpu_us = 1500},
                     {.at_s = 2, .answers = 50, .errors = 2}};
  outcome.target = {.known = true,
                    .cpu_user_us = 1000,
                    .cpu_system_us = 500,
                    .rss_before_bytes = 1 << 20,
                    .rss_after_bytes = 3 << 20};
  outcome.own_cpu_us = 2000;
  report.judged = judge(report.asked.thresholds, mode, outcome.tally);
  return report;
}

[[nodiscard]] inline simdjson::dom::element parsed(simdjson::dom::parser& parser, const std::string& text) {
  simdjson::dom::element document;
  REQUIRE(parser.parse(text).get(document) == simdjson::SUCCESS);
  return document;
}

[[nodiscard]] inline bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

}  // namespace ringwall::load::test
