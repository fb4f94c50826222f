// Who connects when, where an endpoint does not take all that come.
#include "unit/catch.h"
#include "unit/load/stage.h"

namespace ringwall::load {
namespace {

using test::millisecond;
using test::plan_of;
using test::second;
using test::Stage;

TEST_CASE("each client is tried once before any that failed comes again") {
  Plan plan = plan_of(Mode::calls);
  plan.connections = 600;
  plan.calls_max = 1;
  Stage stage(plan);
  while (stage.tally().flow.connections_opened < 100) stage.turn(millisecond);
  stage.server.mode = sim::Answer::ignore;
  // 128 at a time, each of which takes the whole timeout.
  stage.run_for(5 * plan.timeout_ns);
  CHECK(stage.tally().flow.connections_opened < 300);
  CHECK(stage.told.settled.load() == 600);
}

TEST_CASE("hostile clients that were let in and then are not pause before they come again") {
  Plan plan = plan_of(Mode::hostile);
  plan.hostility = Hostility::churn;
  plan.hostile_connections = 1;
  Stage stage(plan, plan.threads);
  stage.run_for(100 * millisecond);
  CHECK(stage.hostile_tally().flow.connections_opened > 5);
  stage.server.mode = sim::Answer::refuse;
  stage.run_for(20 * millisecond);
  const std::uint64_t tried_before = stage.hostile_tally().flow.connections_tried;
  stage.run_for(2 * second);
  const std::uint64_t tried = stage.hostile_tally().flow.connections_tried - tried_before;
  CHECK(tried >= 2);
  CHECK(tried <= 20);
}

}  // namespace
}  // namespace ringwall::load
