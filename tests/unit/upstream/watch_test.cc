#include <ringwall/upstream/watch.h>

#include "test_node.h"
#include "unit/catch.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ringwall::upstream {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;
using test::answer_with;
using test::comes;
using test::http_answer;
using test::Talk;
using test::TestNode;

constexpr std::uint64_t second = 1'000'000'000;

// One upstream with nodes on these ports of loopback.
struct Watched {
  Watched(const std::vector<std::uint16_t>& ports, std::uint32_t interval_ms, std::uint32_t timeout_ms = 2'000,
          std::uint32_t fall = 1) {
    WatchedGroup group{.name = "rpc",
                       .nodes = {},
                       .interval_ms = interval_ms,
                       .timeout_ms = timeout_ms,
                       .settings = {.fall = fall, .rise = 1, .eject = {.failures = 3, .first_ms = 10'000}}};
    for (const std::uint16_t port : ports) {
      targets.push_back(std::make_unique<Target>("n" + std::to_string(targets.size()), "127.0.0.1", port, 0));
      REQUIRE(targets.back()->resolve() == 0);
      group.nodes.push_back(targets.back().get());
    }
    auto started = Watch::start({group}, [this](const LogLine& line) { log(line); });
    REQUIRE(started);
    watch = std::move(*started);
  }
  void log(const LogLine& line) {
    const std::lock_guard lock(mutex);
    lines.push_back(line.text);
  }
  [[nodiscard]] std::vector<std::string> told() {
    const std::lock_guard lock(mutex);
    return lines;
  }
  [[nodiscard]] NodeHealth of(std::size_t node) const { return watch->health().newest()->nodes[node]; }

  std::mutex mutex;
  std::vector<std::string> lines;
  std::vector<std::unique_ptr<Target>> targets;
  std::unique_ptr<Watch> watch;
};

// system_health, and by -32601 nothing of a header: a chain without numbers.
TestNode::Script health_of(bool is_syncing) {
  return [is_syncing](Talk& talk) {
    for (;;) {
      const std::string asked = talk.read_until("}");
      if (asked.empty()) return;
      talk.say(http_answer(asked.find("system_health") == std::string::npos
                               ? R"({"id":1,"error":{"code":-32601}})"
                               : R"({"id":1,"result":{"peers":1,"shouldHavePeers":true,"isSyncing":)" +
                                     std::string(is_syncing ? "true" : "false") + "}}"));
    }
  };
}

TEST_CASE("nodes are asked again and again, and what they say is published") {
  TestNode one(health_of(false)), two(health_of(true));
  Watched watched({one.port(), two.port()}, 5);
  CHECK(comes([&] { return watched.of(0).state == NodeState::up && watched.of(1).state == NodeState::syncing; }));
  two.set_script(health_of(false));
  CHECK(comes([&] { return watched.of(1).state == NodeState::up; }));
  one.set_script(answer_with("rubbish\r\n\r\n"));
  CHECK(comes([&] { return watched.of(0).state == NodeState::failing; }));
  CHECK(watched.of(0).peers == 1);
}

TEST_CASE("a node that hangs costs no other its judgement, and the end nothing") {
  TestNode hanging([](Talk& talk) { talk.be_silent(); }), prompt(health_of(false));
  Watched watched({hanging.port(), prompt.port()}, 60'000);
  CHECK(comes([&] { return watched.of(1).state == NodeState::up && hanging.connections() == 1; }));
  CHECK(watched.of(0).state == NodeState::unknown);
  const auto ending = Clock::now();
  watched.watch.reset();
  CHECK(Clock::now() - ending < milliseconds(500));
  CHECK(watched.told() == std::vector<std::string>{"upstream n1 is healthy, 1 peer"});
}

TEST_CASE("what a reload serves as a tunnel is no longer asked of its chain, and again when it serves calls") {
  TestNode node(health_of(true));
  Watched watched({node.port()}, 5);
  CHECK(comes([&] { return watched.of(0).state == NodeState::syncing; }));
  watched.watch->set_speaks_rpc(0, false);
  CHECK(comes([&] { return watched.of(0).state == NodeState::up; }));
  watched.watch->set_speaks_rpc(0, true);
  CHECK(comes([&] { return watched.of(0).state == NodeState::syncing; }));
}

TEST_CASE("each look that was silence is told, from its beginning, and whether the node is failing by then") {
  TestNode node(health_of(false));
  Watched watched({node.port()}, 5, 50, 2);
  std::mutex mutex;
  std::vector<Silence> told;
  watched.watch->tell_silence_to([&](const Silence& silence) {
    const std::lock_guard lock(mutex);
    told.push_back(silence);
  });
  const auto count = [&] {
    const std::lock_guard lock(mutex);
    return told.size();
  };
  CHECK(comes([&] { return watched.of(0).state == NodeState::up; }));
  node.set_script(answer_with("rubbish\r\n\r\n"));
  CHECK(comes([&] { return watched.of(0).state == NodeState::failing; }));
  CHECK(count() == 0);
  node.set_script(health_of(false));
  CHECK(comes([&] { return watched.of(0).state == NodeState::up; }));
  node.set_script([](Talk& talk) { talk.be_silent(); });
  CHECK(comes([&] { return count() >= 3; }));
  watched.watch->tell_silence_to({});
  CHECK_FALSE(told[0].is_failing);
  CHECK(told[1].is_failing);
  CHECK(told[2].is_failing);
  CHECK(told[0].since_ns < told[1].since_ns);
  CHECK(told[0].node == 0);
}

TEST_CASE("with no interval nothing is asked") {
  TestNode node(health_of(true));
  const Watched watched({node.port()}, 0);
  std::this_thread::sleep_for(milliseconds(50));
  CHECK(node.connections() == 0);
  CHECK(watched.watch->health().newest()->is_ready(0));
}

TEST_CASE("an ejection is in force at once, and published and told soon; so is its end") {
  Watched watched({1, 2}, 0);
  Watch& watch = *watched.watch;
  Ejection& ejection = watched.targets[0]->ejection();
  for (int time = 0; time < 3; ++time) watch.failed(0, 5);
  CHECK(ejection.is_on(5));
  CHECK_FALSE(watched.targets[1]->ejection().is_on(5));
  CHECK_FALSE(watch.report(5)[0].is_healthy);
  CHECK(comes([&] { return watched.told().size() == 1; }));
  CHECK(watched.of(0).ejected_until_ns == ejection.until_ns());
  CHECK(watched.told()[0] == "upstream n0: 3 requests in a row failed: it gets no new ones for 10 s");
  watch.failed(0, 6);
  watch.answered(0, 7);
  CHECK_FALSE(ejection.is_on(7));
  watch.answered(0, 8);
  CHECK(comes([&] { return watched.told().size() == 2; }));
  CHECK(watched.told()[1] == "upstream n0: it answers requests again");
  CHECK(watched.of(0).ejected_until_ns == 7);
}

TEST_CASE("the only node of an upstream is not ejected") {
  Watched watched({1}, 0);
  for (int time = 0; time < 9; ++time) watched.watch->failed(0, 5);
  CHECK_FALSE(watched.targets[0]->ejection().is_on(5));
  CHECK(watched.told().empty());
}

TEST_CASE("a report has what is held of each node, and how it is") {
  Watched watched({1, 2}, 0);
  REQUIRE(watched.targets[1]->take_place());
  const std::vector<NodeReport> rows = watched.watch->report(1);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].places_taken == 0);
  CHECK(&rows[1].target == watched.targets[1].get());
  CHECK(rows[1].places_taken == 1);
  CHECK(rows[1].is_healthy);  // nobody asks it
  CHECK(rows[1].health.state == NodeState::unknown);
}

TEST_CASE("shards read whole healths while they are replaced") {
  Watched watched({1, 2}, 0);
  std::atomic<bool> are_whole = true, is_over = false;
  {
    std::vector<std::jthread> shards;
    for (int index = 0; index < 3; ++index) {
      shards.emplace_back([&] {
        Published<Health>::Reader reader(watched.watch->health());
        std::uint64_t last_ns = 0;
        while (!is_over) {
          const Health& health = reader.get();
          if (health.nodes.size() != 2 || health.nodes[0].ejected_until_ns < last_ns) are_whole = false;
          last_ns = health.nodes[0].ejected_until_ns;
        }
      });
    }
    std::uint64_t now_ns = 5;
    for (int time = 0; time < 200; ++time) {
      watched.watch->failed(0, now_ns);
      now_ns = std::max(now_ns, watched.targets[0]->ejection().until_ns());
      std::this_thread::yield();
    }
    is_over = true;
  }
  CHECK(are_whole);
  Published<Health>::Reader reader(watched.watch->health());
  CHECK(comes([&] { return reader.get().nodes[0].ejected_until_ns == watched.targets[0]->ejection().until_ns(); }));
}

}  // namespace
}  // namespace ringwall::upstream
