// Calls over POST: one at a time on a connection that stays, and what is no answer.
#include "unit/catch.h"
#include "unit/load/stage.h"

#include <cstdio>
#include <string>
#include <string_view>

namespace ringwall::load {
namespace {

using test::http_of;
using test::plan_of;
using test::result_of;
using test::second;
using test::Stage;

Plan post_plan() {
  Plan plan = plan_of(Mode::calls);
  plan.target.url = "http://192.0.2.1:9944";
  plan.target.post = true;
  return plan;
}

TEST_CASE("calls over POST go one at a time over a connection that stays, whatever the body's framing") {
  Plan plan = post_plan();
  plan.calls_max = 6;
  plan.depth = 3;
  Stage stage(plan);
  stage.on_message = [&](std::string_view call) {
    const std::string answer = result_of(call);
    if (stage.messages.size() % 2 == 0) return http_of(answer);
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n" + answer.substr(0, 5) + "\r\n" +
           [&] {
             char size[8];
             std::snprintf(size, sizeof size, "%zx", answer.size() - 5);
             return std::string(size);
           }() +
           "\r\n" + answer.substr(5) + "\r\n0\r\n\r\n";
  };
  stage.run_for(5 * second);
  const Tally& tally = stage.end();
  CHECK(tally.flow.answers == 6);
  CHECK(tally.flow.connections_opened == 1);
  CHECK(tally.troubles.total() == 0);
}

TEST_CASE("another status than 200 ends the call and leaves the connection") {
  Plan plan = post_plan();
  plan.calls_max = 2;
  Stage stage(plan);
  stage.on_message = [&](std::string_view call) {
    return stage.messages.size() == 1 ? http_of("busy", "503 Service Unavailable") : http_of(result_of(call));
  };
  stage.run_for(5 * second);
  const Tally& tally = stage.end();
  CHECK(tally.flow.answers == 1);
  CHECK(tally.troubles.counts[static_cast<std::size_t>(Trouble::http_status)] == 1);
  CHECK(tally.troubles.texts.contains("http_status: 503 Service Unavailable"));
  CHECK(tally.flow.connections_opened == 1);
}

TEST_CASE("a body that is cut, or framed in two ways, is not an answer") {
  for (const std::string_view text : {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
                                      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n1", "<html>"}) {
    Plan plan = post_plan();
    plan.calls_max = 1;
    Stage stage(plan);
    stage.on_message = [&](std::string_view) { return std::string(text) + "\r\n\r\n"; };
    stage.run_for(second);
    INFO(text);
    CHECK(stage.count(Trouble::protocol) == 1);
    CHECK(stage.count(Trouble::answer_lost) == 1);
  }
}

}  // namespace
}  // namespace ringwall::load
