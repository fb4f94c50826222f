// What becomes of a connection that the endpoint does not want, and of calls that are in flight when a run is cut
// short.
#include "unit/catch.h"
#include "unit/load/stage.h"

#include <string>
#include <string_view>
#include <utility>

namespace ringwall::load {
namespace {

using test::millisecond;
using test::plan_of;
using test::second;
using test::Stage;

TEST_CASE("an endpoint that ends a connection before it is of use is told as one kind, however it does it") {
  const bool is_post = GENERATE(false, true);
  const bool is_reset = GENERATE(false, true);
  CAPTURE(is_post, is_reset);
  Plan plan = plan_of(Mode::calls);
  plan.target.post = is_post;
  plan.calls_max = is_post ? 1 : 0;
  Stage stage(plan);
  if (is_post) stage.on_message = [](std::string_view call) { return test::http_of(test::result_of(call)); };
  bool is_first = true;
  const auto welcome = stage.server.on_peer;
  stage.server.on_peer = [&](sim::Peer& peer) {
    if (!std::exchange(is_first, false)) return welcome(peer);
    if (!is_reset) return peer.half_close();
    stage.world.events().after(millisecond, [&peer] { peer.reset(); });  // there is nothing to reset yet
  };
  stage.run_for(second);
  CHECK(stage.count(Trouble::connect_closed) == 1);
  CHECK(stage.tally().troubles.total() == 1 + stage.count(Trouble::answer_lost));
  CHECK(stage.tally().flow.connections_cut == 1);
  CHECK(stage.end().flow.connections_tried >= 1);
}

TEST_CASE("who is closed while in use is none of those") {
  Plan plan = plan_of(Mode::calls);
  plan.calls_max = 2;
  Stage stage(plan);
  stage.on_message = [&](std::string_view call) {
    if (stage.messages.size() > 1) return test::frame_of(test::result_of(call));
    return test::frame_of("\x03\xE9going home", true, websocket::Opcode::close);
  };
  stage.run_for(5 * second);
  CHECK(stage.count(Trouble::connect_closed) == 0);
  CHECK(stage.end().flow.connections_cut == 1);
}

TEST_CASE("those who were open at the end are told, though more leave than one turn lets go") {
  Plan plan = plan_of(Mode::idle);
  plan.connections = 600;
  Stage stage(plan);
  stage.run_for(5 * second);
  REQUIRE(stage.told.open.load() == 600);
  CHECK(stage.end().flow.connections_opened == 600);
  CHECK(stage.told.open.load() == 600);
}

TEST_CASE("when the last call of a bound was over is told, and is not when it is looked at") {
  Plan plan = plan_of(Mode::calls);
  plan.calls_max = 3;
  Stage stage(plan);
  stage.reply_delay_ns = 100 * millisecond;
  const std::uint64_t began_ns = stage.kernel.now_ns();
  stage.run_for(5 * second);
  CHECK(stage.told.finished.load() == 3);
  CHECK(stage.told.finished_ns.load() >= began_ns + 300 * millisecond);
  CHECK(stage.told.finished_ns.load() < began_ns + second);
}

TEST_CASE("calls that are in flight when a run is cut short are counted as unanswered, and as nothing else") {
  Plan plan = plan_of(Mode::calls);
  plan.depth = 5;
  plan.timeout_ns = 60 * second;
  Stage stage(plan);
  stage.on_message = [](std::string_view) { return std::string(); };
  stage.run_for(second);
  stage.course.at_once.store(true);
  const Tally& tally = stage.end();
  CHECK(tally.flow.calls_unanswered == 5);
  CHECK(tally.flow.calls_sent == 0);
  CHECK(tally.troubles.total() == 0);
}

}  // namespace
}  // namespace ringwall::load
