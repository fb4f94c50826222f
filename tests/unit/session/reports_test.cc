#include <ringwall/session/reports.h>

#include "unit/catch.h"
#include "unit/connection/stage.h"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

namespace ringwall::session {
namespace {

constexpr std::uint64_t second = 1'000 * sim::millisecond;

// A shard's reports, and what they have told.
struct Teller {
  connection::test::Stage stage;
  config::Log config;
  std::string told;
  std::optional<Reports> reports;

  Teller() {
    reports.emplace(stage.ring, config,
                    [this](const log::Line& line) { append_line(told, line, {.is_journal = true}, log::Time{}); });
  }
  [[nodiscard]] std::string take() { return std::exchange(told, {}); }
  void end(EndReason reason) {
    reports->ended({.figures = {.client = *parse_address("192.0.2.1"),
                                .tally = {.units = 60, .calls = 3, .denied = 1, .limited = 2},
                                .received_bytes = 1'000,
                                .sent_bytes = 2'000},
                    .age_ns = 1'500 * sim::millisecond,
                    .listener = std::make_shared<const std::string>("0.0.0.0:443"),
                    .upstream = "node",
                    .reason = reason,
                    .state = State::relay});
  }
};

TEST_CASE("an ended session is told in one line") {
  Teller teller;
  teller.end(EndReason::node_gone);
  CHECK(teller.take() ==
        "<6>session ended client=192.0.2.1 listener=0.0.0.0:443 upstream=node by=node reason=node_gone state=relay "
        "age_s=1.500 received_bytes=1000 sent_bytes=2000 calls=3 units=60 denied=1 limited=2 subscriptions=0\n");
}

TEST_CASE("so many sessions a second are told for each reason, and how many were left out in the next line") {
  Teller teller;
  teller.config.sessions_per_s = 2;
  for (int count = 0; count < 5; ++count) teller.end(EndReason::client_gone);
  teller.end(EndReason::node_gone);
  const std::string told = teller.take();
  CHECK(std::ranges::count(told, '\n') == 3);
  CHECK(told.find("left_out") == told.npos);
  teller.stage.run_for(second + second / 10);
  teller.end(EndReason::client_gone);
  CHECK(teller.take().ends_with(" left_out=3\n"));
  teller.end(EndReason::client_gone);
  CHECK(teller.take().ends_with(" subscriptions=0\n"));
}

TEST_CASE("what was left out is told after a while where no other line follows") {
  Teller teller;
  for (int count = 0; count < 4; ++count) teller.reports->notice(Notice::node_garbage, "that was no HTTP");
  for (int count = 0; count < 4; ++count) teller.reports->denied(DenialReason::unsafe_call, "author_x", "192.0.2.1");
  CHECK(teller.take() == "<4>that was no HTTP\n<6>call denied client=192.0.2.1 reason=unsafe method=author_x\n");
  teller.stage.run_for(9 * second);
  CHECK(teller.told.empty());
  teller.stage.run_for(2 * second);
  CHECK(teller.take() ==
        "<4>lines were left out of=node_garbage left_out=3\n"
        "<6>lines were left out of=call_denied reason=unsafe left_out=3\n");
  teller.stage.run_for(20 * second);
  CHECK(teller.told.empty());
}

TEST_CASE("while a shard stops, what was left out is told at its end") {
  Teller teller;
  teller.config.sessions_per_s = 1;
  teller.reports->stop();
  for (int count = 0; count < 10; ++count) teller.end(EndReason::stopping);
  teller.stage.run_for(20 * second);
  CHECK(std::ranges::count(teller.take(), '\n') == 1);
  teller.reports.reset();
  CHECK(teller.take() == "<6>lines were left out of=session_ended reason=stopping left_out=9\n");
}

TEST_CASE("none a second is none, and none is counted") {
  Teller teller;
  teller.config.sessions_per_s = teller.config.denials_per_s = 0;
  teller.end(EndReason::done);
  teller.reports->denied(DenialReason::unreadable, "", "192.0.2.1");
  teller.stage.run_for(20 * second);
  CHECK(teller.told.empty());
}

TEST_CASE("a method that is told is short, and cannot forge a field") {
  Teller teller;
  teller.reports->denied(DenialReason::not_offered, "a\n<3>b reason=none\x1b[2J" + std::string(1'000, 'x'),
                         "192.0.2.1");
  const std::string told = teller.take();
  CHECK(told.starts_with(R"(<6>call denied client=192.0.2.1 reason=not_offered method="a\n<3>b reason=none\x1b[2Jxx)"));
  CHECK(told.size() < 160);
}

TEST_CASE("each reason to deny has a word of its own") {
  std::set<std::string_view> words;
  for (std::size_t reason = 0; reason < denial_reasons; ++reason) {
    CHECK(words.insert(name(static_cast<DenialReason>(reason))).second);
  }
  CHECK(name(denial_reason(rpc::Verdict::unsafe_)) == "unsafe");
  CHECK(name(denial_reason(rpc::Verdict::not_offered)) == "not_offered");
  CHECK(name(denial_reason(rpc::Verdict::invalid)) == "invalid");
  CHECK(name(denial_reason(quota::Reason::address_units)) == "address_units");
  CHECK(name(denial_reason(quota::Reason::machine_units)) == "machine_units");
}

TEST_CASE("each notice has a word of its own") {
  std::set<std::string_view> words;
  for (std::size_t notice = 0; notice < notices; ++notice) {
    CHECK(words.insert(name(static_cast<Notice>(notice))).second);
  }
  CHECK(name(Notice::node_unreachable) == "node_unreachable");
  CHECK(name(Notice::one_address) == "one_address");
}

}  // namespace
}  // namespace ringwall::session
