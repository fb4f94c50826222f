// What a client makes of what an endpoint says: a good answer, or exactly one Trouble.
#include "load/process_watch.h"
#include "unit/catch.h"
#include "unit/load/stage.h"

#include <algorithm>
#include <cstdio>
#include <string>
#include <string_view>

namespace ringwall::load {
namespace {

using test::frame_of;
using test::http_of;
using test::id_of;
using test::millisecond;
using test::plan_of;
using test::result_of;
using test::second;
using test::Stage;

std::string masked(std::string frame) {
  frame[1] = static_cast<char>(frame[1] | 0x80);
  return frame.insert(2, "\1\2\3\4");
}

std::uint64_t total(const Tally& tally) { return tally.flow.answers + tally.troubles.total(); }

TEST_CASE("a closed loop keeps so many calls in flight, and each is answered") {
  Plan plan = plan_of(Mode::calls);
  plan.depth = 4;
  plan.calls_max = 50;
  Stage stage(plan);
  stage.run_for(5 * second);
  const Tally& tally = stage.end();
  CHECK(tally.flow.calls_sent == 50);
  CHECK(tally.flow.answers == 50);
  CHECK(tally.calls.at(0).latency.count() == 50);
  CHECK(tally.troubles.total() == 0);
  CHECK(tally.flow.connections_opened == 1);
}

TEST_CASE("calls_max is exact when a connection is lost on the way") {
  Plan plan = plan_of(Mode::calls);
  plan.calls_max = 20;
  plan.connections = 3;
  Stage stage(plan);
  int answered = 0;
  stage.on_message = [&](std::string_view call) {
    return ++answered == 7 ? masked(frame_of("{}")) : frame_of(result_of(call));
  };
  stage.run_for(20 * second);
  const Tally& tally = stage.end();
  CHECK(tally.flow.calls_sent == 20);
  CHECK(tally.flow.answers == 19);
  CHECK(stage.count(Trouble::answer_lost) == 1);
  CHECK(stage.count(Trouble::protocol) == 1);
}

TEST_CASE("an answer in fragments with a ping between them is good, and the ping is answered") {
  Plan plan = plan_of(Mode::calls);
  plan.calls_max = 3;
  Stage stage(plan);
  stage.on_message = [](std::string_view call) {
    const std::string answer = result_of(call, "\"" + std::string(3000, 'x') + "\"");
    return frame_of(answer.substr(0, 9), false) + frame_of("here?", true, websocket::Opcode::ping) +
           frame_of(answer.substr(9, 2000), false, websocket::Opcode::continuation) +
           frame_of(answer.substr(2009), true, websocket::Opcode::continuation);
  };
  stage.run_for(5 * second);
  CHECK(stage.tally().flow.answers == 3);
  CHECK(std::ranges::count(stage.messages, "pong") == 3);
  CHECK(stage.end().troubles.total() == 0);
}

TEST_CASE("what is no WebSocket frame ends the connection, and the call with it") {
  const std::string_view kinds[] = {"masked", "reserved bit", "continuation of nothing"};
  for (const std::string_view kind : kinds) {
    Plan plan = plan_of(Mode::calls);
    plan.calls_max = 1;
    Stage stage(plan);
    stage.on_message = [&](std::string_view call) {
      std::string frame = frame_of(result_of(call));
      if (kind == "masked") return masked(frame);
      frame[0] = kind == "reserved bit" ? '\xC1' : '\x80';
      return frame;
    };
    stage.run_for(second);
    INFO(kind);
    CHECK(stage.count(Trouble::protocol) == 1);
    CHECK(stage.count(Trouble::answer_lost) == 1);
    CHECK(total(stage.end()) == 2);
  }
}

TEST_CASE("a message that is not JSON-RPC is a violation as much") {
  for (const std::string_view text : {"", "hello", "[]", "{\"id\":1}", R"({"id":1,"result":1,"error":{}})"}) {
    Plan plan = plan_of(Mode::calls);
    plan.calls_max = 1;
    Stage stage(plan);
    stage.on_message = [&](std::string_view) { return frame_of(text); };
    stage.run_for(second);
    INFO(text);
    CHECK(stage.count(Trouble::protocol) == 1);
    CHECK(stage.count(Trouble::answer_lost) == 1);
  }
}

TEST_CASE("a message that is not UTF-8 is a violation as much, wherever it is cut") {
  Plan plan = plan_of(Mode::calls);
  plan.calls_max = 1;
  Stage stage(plan);
  const bool is_cut = GENERATE(false, true);
  stage.on_message = [&](std::string_view call) {
    const std::string answer = result_of(call, "\"\xc3\xff\"");
    if (!is_cut) return frame_of(answer);
    const std::size_t at = answer.find('\xff');
    return frame_of(answer.substr(0, at), false) + frame_of(answer.substr(at), true, websocket::Opcode::continuation);
  };
  stage.run_for(second);
  CHECK(stage.count(Trouble::protocol) == 1);
  CHECK(stage.tally().troubles.texts.contains("protocol: a message that is not UTF-8"));
  CHECK(stage.end().flow.answers == 0);
}

TEST_CASE("JSON is an answer in a binary frame too, and cut within a character") {
  Plan plan = plan_of(Mode::calls);
  plan.calls_max = 1;
  Stage stage(plan);
  stage.on_message = [&](std::string_view call) {
    const std::string answer = result_of(call, "\"é\"");
    const std::size_t at = answer.find('\xa9');
    return frame_of(answer.substr(0, at), false, websocket::Opcode::binary) +
           frame_of(answer.substr(at), true, websocket::Opcode::continuation);
  };
  stage.run_for(second);
  CHECK(stage.end().flow.answers == 1);
}

TEST_CASE("an answer that nobody asked for is told, and the one that was asked for still counts") {
  Plan plan = plan_of(Mode::calls);
  plan.calls_max = 1;
  Stage stage(plan);
  stage.on_message = [](std::string_view call) {
    return frame_of(R"({"jsonrpc":"2.0","id":999,"result":1})") + frame_of(R"({"jsonrpc":"2.0","id":"x","result":1})") +
           frame_of(result_of(call)) + frame_of(result_of(call));
  };
  stage.run_for(second);
  CHECK(stage.count(Trouble::answer_unasked) == 3);
  CHECK(stage.end().flow.answers == 1);
}

TEST_CASE("an error is told with its code and message") {
  Plan plan = plan_of(Mode::calls);
  plan.calls_max = 1;
  Stage stage(plan);
  stage.on_message = [](std::string_view call) {
    return frame_of(R"({"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":)" + id_of(call) +
                    "}");
  };
  stage.run_for(second);
  CHECK(stage.count(Trouble::rpc_error) == 1);
  CHECK(stage.tally().troubles.texts.contains("rpc_error: -32601 Method not found"));
  CHECK(stage.tally().calls.at(0).errors == 1);
  CHECK(total(stage.end()) == 1);
}

TEST_CASE("an answer of another length than the mix says is told") {
  Plan plan = plan_of(Mode::calls);
  plan.mix = *Mix::of_one({.name = "echo", .method = "echo", .params = "[]", .answer_bytes = 39});
  plan.calls_max = 2;
  Stage stage(plan);
  int calls = 0;
  stage.on_message = [&](std::string_view call) { return frame_of(result_of(call, ++calls == 1 ? "true" : "null1")); };
  stage.run_for(second);
  const std::string first = result_of(R"("id":1,)");
  REQUIRE(first.size() == 39 - 1);
  CHECK(stage.count(Trouble::answer_length) >= 1);
  CHECK(total(stage.end()) == 2);
}

TEST_CASE("an answer that does not come is given up after the timeout, and is late then, not unasked") {
  Plan plan = plan_of(Mode::calls);
  plan.calls_max = 2;
  Stage stage(plan);
  std::string first;
  stage.on_message = [&](std::string_view call) {
    if (first.empty()) {
      first = call;
      return std::string();
    }
    return frame_of(result_of(first)) + frame_of(result_of(call));
  };
  stage.run_for(second);
  CHECK(stage.count(Trouble::answer_timeout) == 0);
  stage.run_for(2 * second);
  CHECK(stage.count(Trouble::answer_timeout) == 1);
  CHECK(stage.count(Trouble::answer_unasked) == 0);
  CHECK(stage.end().flow.answers == 1);
}

TEST_CASE("an endpoint that closes is told with its code and reason, and is asked again") {
  Plan plan = plan_of(Mode::calls);
  plan.calls_max = 2;
  Stage stage(plan);
  stage.on_message = [&](std::string_view call) {
    if (stage.messages.size() > 1) return frame_of(result_of(call));
    return frame_of("\x03\xE9going home", true, websocket::Opcode::close);
  };
  stage.run_for(5 * second);
  CHECK(stage.count(Trouble::connection_closed) == 1);
  CHECK(stage.tally().troubles.texts.contains("connection_closed: Close 1001 going home"));
  CHECK(stage.count(Trouble::answer_lost) == 1);
  CHECK(stage.end().flow.connections_opened == 2);
}

TEST_CASE("an upgrade that is refused is told with its status") {
  Stage stage(plan_of(Mode::idle));
  stage.on_head = [](std::string_view) { return http_of("later", "429 Too Many Requests"); };
  stage.run_for(second);
  CHECK(stage.count(Trouble::upgrade) == 1);
  CHECK(stage.end().troubles.texts.contains("upgrade: 429 Too Many Requests"));
}

TEST_CASE("a 101 that does not answer the key is a violation, and so is what is no HTTP") {
  for (const std::string_view head : {"HTTP/1.1 101 Fine\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                      "Sec-WebSocket-Accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n",
                                      "SSH-2.0-OpenSSH_9.2\r\n"}) {
    Stage stage(plan_of(Mode::idle));
    stage.on_head = [&](std::string_view) { return std::string(head); };
    stage.run_for(second);
    CHECK(stage.count(Trouble::protocol) == 1);
    CHECK(total(stage.end()) == 1);
  }
}

TEST_CASE("calls that wait longer than the timeout to be sent are given up as late") {
  Plan plan = plan_of(Mode::calls);
  plan.rate = Rate{.from = 100, .to = 100};
  plan.duration_ns = second;
  Stage stage(plan);
  stage.course.end_ns.store(stage.kernel.now_ns() + second);
  stage.course.measure_ns.store(stage.kernel.now_ns());
  stage.on_message = [](std::string_view) { return std::string(); };
  const Tally& tally = stage.end();
  const auto count = [&](Trouble trouble) { return tally.troubles.counts[static_cast<std::size_t>(trouble)]; };
  CHECK(count(Trouble::send_late) + count(Trouble::answer_timeout) == 100);
  CHECK(count(Trouble::answer_timeout) == tally.flow.calls_sent);
  CHECK(count(Trouble::send_late) >= 97);
}

TEST_CASE("a source that is no address of this machine is told") {
  Plan plan = plan_of(Mode::idle);
  plan.sources = {sim::address_of("198.51.100.1", 0)};
  Stage stage(plan);
  stage.run_for(second);
  CHECK(stage.count(Trouble::connect_no_source) == 1);
}

TEST_CASE("who is not answered is told so: to the SYN, or to the upgrade") {
  for (const bool to_the_upgrade : {false, true}) {
    Stage stage(plan_of(Mode::idle));
    if (!to_the_upgrade) stage.server.mode = sim::Answer::ignore;
    stage.on_head = [](std::string_view) { return std::string(); };
    stage.run_for(3 * second);
    CHECK(stage.count(Trouble::connect_timeout) == 1);
  }
}

TEST_CASE("who finds nobody listening is told so") {
  Stage stage(plan_of(Mode::idle));
  stage.server.mode = sim::Answer::refuse;
  stage.run_for(second);
  CHECK(stage.count(Trouble::connect_refused) == 1);
}

TEST_CASE("the upgrade's answer may come in any pieces, with a message behind it") {
  Plan plan = plan_of(Mode::calls);
  plan.calls_max = 1;
  Stage stage(plan);
  stage.on_head = [](std::string_view head) {
    return Stage::accept(head) +
           frame_of(R"({"jsonrpc":"2.0","method":"hello","params":{"subscription":1,"result":2}})");
  };
  stage.run_for(second);
  CHECK(stage.tally().flow.notifications == 1);
  CHECK(stage.end().flow.answers == 1);
}

// Open loop ---------------------------------------------------------------------------------------------------------

TEST_CASE("connections that do not close are left after a bounded time, with what was seen") {
  Plan plan = plan_of(Mode::idle);
  plan.connections = 3;
  Stage stage(plan);
  stage.run_for(second);
  stage.kernel.hold_entries(true);
  const std::uint64_t before_ns = stage.kernel.now_ns();
  CHECK(stage.end().flow.connections_opened == 3);
  CHECK(!stage.is_joined);
  CHECK(stage.kernel.now_ns() < before_ns + 10 * second);
}

TEST_CASE("an open loop sends each call of its schedule, and latency counts from when it was due") {
  Plan plan = plan_of(Mode::calls);
  plan.rate = Rate{.from = 100, .to = 100};
  plan.duration_ns = second;
  plan.timeout_ns = 20 * second;
  Stage stage(plan);
  const std::uint64_t began_ns = stage.kernel.now_ns() + 100 * millisecond;
  stage.course.measure_ns.store(began_ns);
  stage.course.warmup_ns.store(began_ns);
  stage.course.end_ns.store(began_ns + second);
  // The one connection is full until its call is answered, so that 100 calls, due in a second, take more than ten.
  stage.reply_delay_ns = 100 * millisecond;
  const Tally& tally = stage.end();
  CHECK(tally.flow.calls_sent == 100);
  CHECK(tally.flow.answers == 100);
  CHECK(tally.troubles.total() == 0);
  const Histogram& latency = tally.calls.at(0).latency;
  CHECK(latency.min_ns() >= 100 * millisecond);
  CHECK(latency.max_ns() >= 9 * second);
  CHECK(latency.percentile_ns(50) >= 4 * second);
  // In the second itself there is time for ten at most: what the endpoint bears is no more than that.
  CHECK(tally.flow.answers_in_time >= 8);
  CHECK(tally.flow.answers_in_time <= 10);
  CHECK(tally.calls.at(0).answers_in_time == tally.flow.answers_in_time);
  CHECK(stage.told.seconds.at(0).answers == tally.flow.answers_in_time);
}

TEST_CASE("an open loop whose bound on calls is spent waits for nothing more") {
  Plan plan = plan_of(Mode::calls);
  plan.rate = Rate{.from = 100, .to = 100};
  plan.duration_ns = 10 * second;
  plan.calls_max = 20;
  Stage stage(plan);
  const std::uint64_t began_ns = stage.kernel.now_ns();
  stage.course.measure_ns.store(began_ns);
  unsigned turns = 0;
  for (; stage.kernel.now_ns() < began_ns + 2 * second; ++turns) stage.turn(second);
  CHECK(stage.told.finished.load() == 20);
  // One for each call and its answer, not one each moment from there on.
  CHECK(turns < 200);
  // As run() does; the schedule has calls that were due before.
  stage.course.end_ns.store(stage.kernel.now_ns());
  CHECK(stage.end().flow.answers == 20);
  CHECK(stage.kernel.now_ns() < began_ns + 4 * second);
}

TEST_CASE("a thread tells the CPU time of its measured time alone") {
  Plan plan = plan_of(Mode::calls);
  plan.calls_max = 1000;
  Stage stage(plan);
  stage.course.measure_ns.store(stage.kernel.now_ns() + second);
  stage.run_for(second / 2);
  const double before_us = thread_cpu_us();
  stage.run_for(20 * second);
  (void)stage.end();
  CHECK(stage.told.cpu_us > 0);
  CHECK(stage.told.cpu_us <= thread_cpu_us() - before_us);
}

// Subscriptions -----------------------------------------------------------------------------------------------------

TEST_CASE("handshake mode opens, closes in order, and begins again, as often as it was asked to") {
  Plan plan = plan_of(Mode::handshake);
  plan.calls_max = 5;
  Stage stage(plan);
  stage.run_for(20 * second);
  const Tally& tally = stage.end();
  CHECK(tally.latency.count() == 5);
  CHECK(tally.flow.answers == 5);
  CHECK(stage.heads.size() == 5);
  CHECK(tally.troubles.total() == 0);
}

}  // namespace
}  // namespace ringwall::load
