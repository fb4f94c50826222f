// Calls that subscribe, and subscribers: what becomes of their subscriptions.
#include "unit/catch.h"
#include "unit/load/stage.h"

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace ringwall::load {
namespace {

using test::frame_of;
using test::plan_of;
using test::result_of;
using test::second;
using test::Stage;

TEST_CASE("a call that subscribes is answered, notified once, and unsubscribed") {
  Plan plan = plan_of(Mode::calls);
  plan.mix = *Mix::of_one({.name = "chain_subscribeNewHeads", .method = "chain_subscribeNewHeads", .params = "[]"});
  plan.calls_max = 1;
  Stage stage(plan);
  stage.on_message = [](std::string_view call) {
    if (call.find("unsubscribe") != std::string_view::npos) return frame_of(result_of(call));
    return frame_of(result_of(call, "\"abc\"")) +
           frame_of(
               R"({"jsonrpc":"2.0","method":"chain_newHead","params":{"subscription":"abc","result":{"number":"0x1"}}})");
  };
  stage.run_for(second);
  REQUIRE(stage.messages.size() == 2);
  CHECK(stage.messages.back().find(R"("method":"chain_unsubscribeNewHeads","params":["abc"])") != std::string::npos);
  const Tally& tally = stage.end();
  CHECK(tally.flow.calls_sent == 1);
  CHECK(tally.flow.answers == 1);
  CHECK(tally.flow.notifications == 1);
  CHECK(tally.troubles.total() == 0);
}

TEST_CASE("unsubscribes that nobody answers leave the calls their places") {
  Plan plan = plan_of(Mode::calls);
  plan.depth = GENERATE(1U, 3U);
  plan.calls_max = 200;
  plan.timeout_ns = 60 * second;
  plan.mix = *Mix::of_one({.name = "chain_subscribeNewHeads", .method = "chain_subscribeNewHeads", .params = "[]"});
  Stage stage(plan);
  int begun = 0;
  stage.on_message = [&](std::string_view call) -> std::string {
    if (call.find("unsubscribe") != std::string_view::npos) return "";
    const std::string id = std::to_string(++begun);
    return frame_of(result_of(call, id)) +
           frame_of(R"({"jsonrpc":"2.0","method":"chain_newHead","params":{"subscription":)" + id +
                    R"(,"result":{"number":"0x1"}}})");
  };
  stage.run_for(5 * second);
  CHECK(stage.tally().flow.answers == 200);
  const auto unsubscribes = std::ranges::count_if(
      stage.messages, [](const std::string& said) { return said.find("unsubscribe") != std::string::npos; });
  CHECK(unsubscribes == plan.depth + 16);
}

TEST_CASE("every subscription of many calls in flight is ended") {
  Plan plan = plan_of(Mode::calls);
  plan.depth = 100;
  plan.calls_max = 1000;
  plan.timeout_ns = 60 * second;
  plan.mix = *Mix::of_one({.name = "chain_subscribeNewHeads", .method = "chain_subscribeNewHeads", .params = "[]"});
  Stage stage(plan);
  int begun = 0, ended = 0;
  stage.on_message = [&](std::string_view call) {
    if (call.find("unsubscribe") == std::string_view::npos) return frame_of(result_of(call, std::to_string(++begun)));
    ++ended;
    return frame_of(result_of(call));
  };
  stage.run_for(5 * second);
  CHECK(stage.tally().flow.answers == 1000);
  CHECK(begun - ended == 16);
}

TEST_CASE("subscribers are told apart from the first one that had the same item") {
  Plan plan = plan_of(Mode::subscribe);
  plan.connections = 3;
  Stage stage(plan);
  stage.on_message = [&](std::string_view call) {
    const std::string id = "\"id" + std::to_string(stage.messages.size()) + "\"";
    return frame_of(result_of(call, id)) +
           frame_of(R"({"jsonrpc":"2.0","method":"chain_newHead","params":{"subscription":)" + id +
                    R"(,"result":{"number":"0x1"}}})");
  };
  stage.run_for(second);
  const Tally& tally = stage.end();
  CHECK(tally.flow.notifications == 3);
  CHECK(tally.spread.count() == 2);
  CHECK(tally.troubles.total() == 0);
}

TEST_CASE("a subscriber that hears nothing of what the others hear is found, before and after all have left") {
  Plan plan = plan_of(Mode::subscribe);
  plan.connections = 4;
  Stage stage(plan);
  stage.run_for(second);
  REQUIRE(stage.server.peers().size() == 4);
  const std::uint64_t from_ns = stage.kernel.now_ns();
  for (std::size_t at = 0; at < 3; ++at) {
    stage.server.peers()[at]->send(frame_of(
        R"({"jsonrpc":"2.0","method":"chain_newHead","params":{"subscription":1,"result":{"number":"0x1"}}})"));
  }
  stage.run_for(second);
  const std::uint64_t until_ns = stage.kernel.now_ns();
  const auto check = [&] {
    const FanOut found = stage.items.fan_out(from_ns, until_ns, second / 2);
    CHECK(found.copies == 3);
    CHECK(found.copies_wanted == 4);
    CHECK(found.silent == 1);
  };
  check();
  CHECK(stage.end().flow.notifications == 3);
  check();
}

TEST_CASE("what is first heard before the measured time is no item of it, whenever its copies come") {
  Plan plan = plan_of(Mode::subscribe);
  plan.connections = 2;
  Stage stage(plan);
  const std::uint64_t measure_ns = stage.kernel.now_ns() + 2 * second;
  stage.course.measure_ns.store(measure_ns);
  stage.run_for(second);
  REQUIRE(stage.server.peers().size() == 2);
  for (const std::unique_ptr<sim::Peer>& peer : stage.server.peers()) {
    peer->send(frame_of(
        R"({"jsonrpc":"2.0","method":"chain_newHead","params":{"subscription":1,"result":{"number":"0x1"}}})"));
    stage.run_for(2 * second);
  }
  CHECK(stage.items.fan_out(measure_ns, stage.kernel.now_ns(), 0).copies_wanted == 0);
  const Tally& tally = stage.end();
  CHECK(tally.flow.notifications == 1);
  CHECK(tally.spread.min_ns() > second);
}

TEST_CASE("a subscription that the endpoint ends is told") {
  Stage stage(plan_of(Mode::subscribe));
  stage.on_message = [](std::string_view call) {
    return frame_of(result_of(call, "1")) +
           frame_of(R"({"jsonrpc":"2.0","method":"chain_newHead","params":{"subscription":1,"error":"gone"}})");
  };
  stage.run_for(second);
  CHECK(stage.count(Trouble::subscription_ended) == 1);
  CHECK(stage.end().flow.notifications == 0);
}

// Handshakes --------------------------------------------------------------------------------------------------------

}  // namespace
}  // namespace ringwall::load
