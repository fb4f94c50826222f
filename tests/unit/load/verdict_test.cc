// What is said of a run, and of one that could not be made.
#include "load/verdict.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "load/unreached.h"
#include "unit/catch.h"
#include "unit/load/sample_report.h"

using namespace ringwall;
using namespace ringwall::load;
using namespace ringwall::load::test;

TEST_CASE("thresholds hold up to their bound, and not where nothing was measured", "[report]") {
  const Report report = report_of();
  const auto held = [&](Thresholds thresholds, const Tally& tally) {
    const auto judged = judge(thresholds, Mode::calls, tally);
    return std::ranges::all_of(judged, &Judged::held);
  };
  const Tally& tally = report.outcome.tally;
  CHECK(held({}, tally));
  // A hundred were answered and one was not: the longest answer is at the 99th percentile.
  CHECK(held({.p99_ns = tally.latency.max_ns()}, tally));
  CHECK(!held({.p99_ns = tally.latency.max_ns() - 1}, tally));
  CHECK(held({.error_share = 2.0 / 102}, tally));
  CHECK(!held({.error_share = 0.019}, tally));
  CHECK(!held({.p99_ns = 50 * ms}, Tally{}));
  Report empty = report;
  empty.outcome.tally.flow.answers = 0;
  CHECK(report.held());
  CHECK(!empty.held());
}

TEST_CASE("a latency of nothing keeps no bound", "[report]") {
  // Of one subscriber there is no spread.
  Tally tally;
  tally.flow.notifications = 20;
  const Thresholds thresholds{.p99_ns = 50 * ms};
  CHECK(!judge(thresholds, Mode::subscribe, tally).at(0).held);
  CHECK(judge(thresholds, Mode::subscribe, tally).at(0).found == "nothing");
  tally.spread.record(ms);
  CHECK(judge(thresholds, Mode::subscribe, tally).at(0).held);
}

TEST_CASE("nothing is held that was ended early", "[report]") {
  Report report = report_of();
  simdjson::dom::parser parser;
  REQUIRE(report.held());
  const bool in_the_run = GENERATE(false, true);
  (in_the_run ? report.outcome.interrupted : report.interrupted) = true;
  CHECK(!report.held());
  CHECK(!bool(parsed(parser, json(report))["held"]));
  CHECK(bool(parsed(parser, json(report))["interrupted"]));
}

TEST_CASE("copies of notifications that did not come are told", "[report]") {
  Report report = report_of(Mode::subscribe);
  report.outcome.tally.flow.notifications = 30;
  const auto said = [&] {
    std::string all;
    for (const std::string& remark : remarks(report.asked.plan, report.outcome)) all += remark + "\n";
    return all;
  };
  report.outcome.fan_out = {.copies = 1200, .copies_wanted = 1200};
  CHECK(!has(said(), "copies"));
  report.outcome.fan_out.copies = 1199;
  CHECK(has(said(), "1,199 of 1,200 copies came"));
  CHECK(has(table(report, 120), "30, 1,199 of 1,200 copies of the same came"));
  simdjson::dom::parser parser;
  CHECK(std::uint64_t(parsed(parser, json(report))["notification_copies"]["came"]) == 1199);
  CHECK(std::uint64_t(parsed(parser, json(report))["notification_copies"]["wanted"]) == 1200);
  CHECK(parsed(parser, json(report_of()))["notification_copies"].is_null());
}

TEST_CASE("a run that began without some of its connections says so", "[report]") {
  Report report = report_of();
  report.asked.plan.connections = 500;
  report.outcome.connections_open = 500;
  CHECK(remarks(report.asked.plan, report.outcome).empty());
  report.outcome.connections_begun_with = 100;
  CHECK(remarks(report.asked.plan, report.outcome).at(0).starts_with("The run began with 100 of 500 connections open"));
}

TEST_CASE("what is never answered takes longer than any bound", "[report]") {
  const Thresholds thresholds{.p99_ns = 100 * ms};
  for (const Trouble trouble : {Trouble::answer_timeout, Trouble::answer_lost, Trouble::send_late}) {
    Tally tally = report_of().outcome.tally;
    tally.troubles = {};
    tally.latency = {};
    tally.latency.record(ms, 98);
    tally.latency.record(50 * ms);
    tally.troubles.note(trouble);
    // Of a hundred, one: the longest answer is at the 99th percentile.
    CHECK(judged_p99_ns(Mode::calls, tally) == tally.latency.max_ns());
    CHECK(judge(thresholds, Mode::calls, tally).at(0).held);
    tally.troubles.note(trouble);
    CHECK(!judged_p99_ns(Mode::calls, tally));
    CHECK(!judge(thresholds, Mode::calls, tally).at(0).held);
    CHECK(judge(thresholds, Mode::calls, tally).at(0).found == "more than 1 % without an answer");
  }
}

TEST_CASE("it is said what limited a run", "[report]") {
  Report report = report_of();
  const auto said = [&](double machine) {
    report.outcome.machine_busy_share = machine;
    std::string all;
    for (const std::string& remark : remarks(report.asked.plan, report.outcome)) all += remark + "\n";
    return all;
  };
  CHECK(said(0.5).empty());
  CHECK(has(said(0.95), "This machine was busy: its cores were 95 % busy"));
  // Of two threads, the other of which is that of the hostile clients.
  report.outcome.own_cpu_us = 2.5e6;
  report.outcome.threads_cpu_us = 0.6e6;
  CHECK(said(0.5).empty());
  report.outcome.threads_cpu_us = 1.9e6;
  CHECK(has(said(0.95), "ringwall-bench itself was the limit: its threads were 95 % busy"));
  CHECK(!has(said(0.95), "This machine"));
  // Who keeps the rate that was asked for is not limited by it.
  report.asked.plan.rate = Rate{45, 45};
  CHECK(has(said(0.95), "ringwall-bench was busy: its threads were 95 % busy"));
  CHECK(!has(said(0.95), "the limit"));
  report.outcome.threads_cpu_us = 0.6e6;
  CHECK(has(said(0.95), "This machine was busy"));
  CHECK(!has(said(0.95), "the limit"));
  report.asked.plan.rate = Rate{100, 100};
  CHECK(has(said(0.5), "Only 45 of 100 calls a second"));
  CHECK(has(said(0.95), "This machine was the limit: its cores were 95 % busy"));
  // Nor is it the limit where errors say why fewer came.
  const Troubles few = report.outcome.tally.troubles;
  for (int at = 0; at < 40; ++at) report.outcome.tally.troubles.note(Trouble::rpc_error, "-32601 no");
  CHECK(has(said(0.95), "This machine was busy"));
  CHECK(!has(said(0.95), "the limit"));
  report.outcome.tally.troubles = few;
  report.outcome.connections_open = 1;
  CHECK(has(said(0.5), "1 of 2 connections were open at the end"));
  report.outcome.interrupted = true;
  CHECK(has(said(0.5), "ended early"));
}

TEST_CASE("idle and subscribe ask for all their connections where no share of errors is asked for", "[report]") {
  for (const Mode mode : {Mode::idle, Mode::subscribe}) {
    Report report = report_of(mode);
    const auto judged = [&](Thresholds thresholds) {
      return judge_connections(thresholds, report.asked.plan, report.outcome);
    };
    CHECK(judged({}).value().held);
    report.outcome.connections_open = 1;
    CHECK(!judged({}).value().held);
    CHECK(judged({}).value().found == "1");
    CHECK(!judged({.error_share = 0.5}));
  }
  Report calls = report_of();
  calls.outcome.connections_open = 1;
  CHECK(!judge_connections({}, calls.asked.plan, calls.outcome));
}

TEST_CASE("where nothing came it is said what did not, and what may be wrong", "[report]") {
  const auto said = [](const Report& report) { return remarks(report.asked.plan, report.outcome).at(0); };
  Report report = report_of(Mode::subscribe);
  report.outcome.tally.troubles = {};
  CHECK(said(report).starts_with("No notification came in 2.00 s, so nothing was measured: a longer --duration"));
  report = report_of();
  report.asked.plan.target = *parse_url("http://localhost:8443/a");
  report.outcome.tally.flow.answers = 0;
  report.outcome.tally.troubles.note(Trouble::http_status, "400 Bad Request");
  CHECK(said(report) ==
        "No call was answered well in 2.00 s, so nothing was measured: where it speaks TLS, the URL is "
        "https://localhost:8443/a.");
}

TEST_CASE("who cannot be reached is told with what may be changed", "[report]") {
  Report report = report_of();
  const auto why = [&](const char* url, Trouble trouble, const char* text) {
    report.asked.plan.target = *parse_url(url);
    Troubles troubles;
    troubles.note(trouble, text);
    return why_unreached(report.asked.plan, troubles);
  };
  const std::string self_signed = why("wss://h", Trouble::tls, "the server's certificate is self-signed");
  CHECK(has(self_signed, "--ca FILE"));
  CHECK(has(self_signed, "--insecure"));
  CHECK(why("wss://h", Trouble::tls, "record layer length error").ends_with("the URL is ws://h)"));
  CHECK(why("ws://h:1", Trouble::upgrade, "400 Bad Request").ends_with("the URL is wss://h:1)"));
  CHECK(why("ws://h:1", Trouble::connect_refused, "Connection refused").ends_with("Connection refused"));
}

TEST_CASE("an endpoint that limits its callers, or is full, is told as that where it leads the errors", "[report]") {
  Report report = report_of();
  Troubles& troubles = report.outcome.tally.troubles;
  const auto said = [&] {
    std::string all;
    for (const std::string& remark : remarks(report.asked.plan, report.outcome)) all += remark + "\n";
    return all;
  };
  troubles = {};
  for (int at = 0; at < 8; ++at) troubles.note(Trouble::rpc_error, "-32999 RPC rate limit exceeded");
  troubles.note(Trouble::connection_closed, "Close 1008 too many calls were refused");
  for (int at = 0; at < 20; ++at) troubles.note(Trouble::answer_lost);
  CHECK(has(said(), "limits its callers: 9 of 29 errors are -32999, 1008."));
  CHECK(has(said(), "limits.exempt"));
  for (int at = 0; at < 10; ++at) troubles.note(Trouble::rpc_error, "-32601 Method not found");
  CHECK(!has(said(), "limits its callers"));
  troubles = {};
  troubles.note(Trouble::upgrade, "503 Service Unavailable");
  troubles.note(Trouble::send_late);
  CHECK(has(said(), "takes no more connections: 1 of 2 errors are 503."));
  CHECK(has(said(), "1 calls were never sent (send_late)"));
}

TEST_CASE("the errors that lead are told with what was said most", "[report]") {
  Troubles troubles;
  CHECK(leading_errors(troubles).empty());
  troubles.note(Trouble::rpc_error, "-32601 no");
  for (int at = 0; at < 1200; ++at) troubles.note(Trouble::rpc_error, "-32999 slow down");
  for (int at = 0; at < 3; ++at) troubles.note(Trouble::answer_lost);
  troubles.note(Trouble::protocol, "what?");
  CHECK(leading_errors(troubles) == "rpc_error 1,201 (-32999 slow down), answer_lost 3");
}

TEST_CASE("what hostile clients met and what became of them stands in the table, the JSON and the page", "[report]") {
  Report report = report_of(Mode::hostile);
  report.asked.plan.hostility = Hostility::slow_readers;
  report.asked.plan.hostile_connections = 8;
  report.outcome.hostile.flow = {.connections_tried = 10, .connections_opened = 9, .connections_cut = 3};
  report.outcome.hostile_connections_held = 7;
  report.outcome.hostile_senders_stopped = 6;
  report.outcome.hostile_connections_open = 7;
  report.outcome.hostile.troubles.note(Trouble::connection_reset);
  const std::string text = table(report, 120);
  CHECK(has(text, "10 connections tried, 9 opened, 3 ended by the endpoint, 7 held at the end; it has stopped"));
  CHECK(has(text, "connection_reset    reset by the endpoint while in use"));
  CHECK(!has(text, " each)"));
  CHECK(!has(text, "CPU a call"));
  simdjson::dom::parser parser;
  const auto hostile = parsed(parser, json(report))["hostile"];
  CHECK(std::uint64_t(hostile["connections_held"]) == 7);
  CHECK(std::uint64_t(hostile["senders_stopped"]) == 6);
  CHECK(std::uint64_t(hostile["flow"]["connections_cut"]) == 3);
  CHECK(has(html(report), "showTroubles('What the hostile clients met', report.hostile.troubles)"));
}
