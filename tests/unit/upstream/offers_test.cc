#include <ringwall/upstream/offers.h>

#include "test_node.h"
#include "unit/catch.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
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
using test::offer_json;
using test::Talk;
using test::TestNode;

constexpr OfferPace fast{.answer_ms = 300, .retry_ms = 10, .again_ms = 10};

struct Asked {
  explicit Asked(const std::vector<const TestNode*>& nodes, OfferPace pace = fast) {
    std::vector<const Target*> asked;
    for (const TestNode* node : nodes) {
      targets.push_back(std::make_unique<Target>("n" + std::to_string(targets.size()), "127.0.0.1", node->port(), 0));
      REQUIRE(targets.back()->resolve() == 0);
      asked.push_back(targets.back().get());
    }
    auto started = Offers::start(
        asked, std::vector<bool>(asked.size(), true), *table, settings, [this](const LogLine& line) { log(line); },
        pace);
    REQUIRE(started);
    offers = std::move(*started);
  }
  void log(const LogLine& line) {
    const std::lock_guard lock(mutex);
    (line.level == LogLine::Level::debug ? debug_lines : lines).push_back(line.text);
  }
  [[nodiscard]] std::vector<std::string> told() {
    const std::lock_guard lock(mutex);
    return lines;
  }
  [[nodiscard]] std::vector<std::string> debugged() {
    const std::lock_guard lock(mutex);
    return debug_lines;
  }
  [[nodiscard]] bool has(std::size_t index, const Offer& offer) const {
    return *offers->result_text(index) == table->methods_result(offer);
  }

  rpc::MethodSettings settings{};
  Result<rpc::MethodTable> table = rpc::MethodTable::make(settings);
  std::mutex mutex;
  std::vector<std::string> lines, debug_lines;
  std::vector<std::unique_ptr<Target>> targets;
  std::unique_ptr<Offers> offers;
};

TEST_CASE("a node that serves no calls is not asked, until a reload says that it does") {
  TestNode node(answer_with(http_answer(offer_json({"system_chain"}))));
  Target target("node", "127.0.0.1", node.port(), 0);
  REQUIRE(target.resolve() == 0);
  const rpc::MethodSettings settings;
  const Result<rpc::MethodTable> table = rpc::MethodTable::make(settings);
  const std::vector<const Target*> targets{&target};
  const auto offers = Offers::start(targets, {false}, *table, settings, [](const LogLine&) {}, fast);
  REQUIRE(offers);
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  CHECK(node.connections() == 0);
  CHECK(*(*offers)->result_text(0) == table->methods_result({}));
  (*offers)->ask_of(0, true);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (node.connections() == 0 && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  CHECK(node.connections() > 0);
}

TEST_CASE("each node's answer is published as what is allowed of it, and told once") {
  TestNode one(answer_with(http_answer(offer_json({"system_chain", "author_rotateKeys", "eth_call"}))));
  TestNode two(answer_with(http_answer(offer_json({"system_name"}))));
  Asked asked({&one, &two});
  CHECK(comes([&] { return asked.has(0, {"system_chain"}) && asked.has(1, {"system_name"}); }));
  CHECK(*asked.offers->result_text(0) == R"({"methods":["system_chain"]})");
  CHECK(comes([&] { return one.connections() > 4; }));
  CHECK(asked.told() ==
        std::vector<std::string>{"upstream n0: it offers 1 method that is not allowed here (eth_call); to allow them: "
                                 "methods.allow = [\"eth_call\"]",
                                 "upstream n0: it offers 1 unsafe method; it is withheld here"});
}

TEST_CASE("until a node has answered, its answer is that of nothing known, and failures are told once, as debugging") {
  TestNode node(answer_with("HTTP/1.1 429 Too Many Requests\r\n\r\n"));
  Asked asked({&node});
  CHECK(comes([&] { return node.connections() > 4; }));
  CHECK(asked.has(0, {}));
  CHECK(asked.told().empty());
  CHECK(asked.debugged() ==
        std::vector<std::string>{"upstream n0: its methods are not known: the node answers with HTTP status 429"});
  node.set_script(answer_with(http_answer(offer_json({"system_chain"}))));
  CHECK(comes([&] { return asked.has(0, {"system_chain"}); }));
}

TEST_CASE("an answer that was read stays, a failure keeps the last one, and an upgrade tells only what changed") {
  TestNode node(answer_with(http_answer(offer_json({"system_chain", "author_rotateKeys"}))));
  Asked asked({&node});
  REQUIRE(comes([&] { return asked.told().size() == 1; }));
  const auto first = asked.offers->result_text(0);
  node.set_script(answer_with("rubbish\r\n"));
  REQUIRE(comes([&] { return !asked.debugged().empty(); }));
  CHECK(asked.offers->result_text(0) == first);
  node.set_script(answer_with(http_answer(offer_json({"system_chain", "system_name", "author_rotateKeys", "eth_a"}))));
  REQUIRE(comes([&] { return asked.told().size() == 2; }));
  CHECK(asked.told()[1].starts_with("upstream n0: it offers 1 method that is not allowed here (eth_a)"));
  CHECK(asked.has(0, {"system_chain", "system_name"}));
  CHECK(*first == R"({"methods":["system_chain"]})");
}

TEST_CASE("after a reload what a node said is told anew by other rules, and it is not asked for that") {
  TestNode node(answer_with(http_answer(offer_json({"system_chain", "eth_call"}))));
  Asked asked({&node}, {.answer_ms = 300, .retry_ms = 1, .again_ms = 600'000});
  REQUIRE(comes([&] { return asked.told().size() == 1; }));
  rpc::MethodSettings allowing;
  allowing.allow = {"eth_*"};
  asked.offers->change(*rpc::MethodTable::make(allowing), allowing);
  CHECK(*asked.offers->result_text(0) == R"({"methods":["eth_call","system_chain"]})");
  CHECK(asked.told().size() == 1);
  asked.offers->change(*asked.table, asked.settings);
  CHECK(asked.has(0, {"system_chain"}));
  CHECK(asked.told().size() == 2);
  CHECK(node.connections() == 1);
}

TEST_CASE("a node that answered is asked again only when that is due") {
  TestNode node(answer_with(http_answer(offer_json({"system_chain"}))));
  Asked asked({&node}, {.answer_ms = 300, .retry_ms = 1, .again_ms = 600'000});
  REQUIRE(comes([&] { return asked.has(0, {"system_chain"}); }));
  std::this_thread::sleep_for(milliseconds(100));
  CHECK(node.connections() == 1);
}

TEST_CASE("a node that is not there is asked again only when that is due") {
  TestNode node(answer_with(""));
  Asked asked({&node}, {.answer_ms = 300, .retry_ms = 600'000, .again_ms = 1});
  REQUIRE(comes([&] { return !asked.debugged().empty(); }));
  std::this_thread::sleep_for(milliseconds(100));
  CHECK(node.connections() == 1);
}

TEST_CASE("a node that hangs costs no other its answer, and the end nothing") {
  TestNode hanging([](Talk& talk) { talk.be_silent(); });
  TestNode prompt(answer_with(http_answer(offer_json({"system_chain"}))));
  Asked asked({&hanging, &prompt}, {.answer_ms = 60'000, .retry_ms = 60'000, .again_ms = 60'000});
  CHECK(comes([&] { return asked.has(1, {"system_chain"}) && hanging.connections() == 1; }));
  CHECK(asked.has(0, {}));
  const auto ending = Clock::now();
  asked.offers.reset();
  CHECK(Clock::now() - ending < milliseconds(500));
  CHECK(asked.debugged().empty());
}

TEST_CASE("shards read whole answers while they are replaced") {
  std::atomic<unsigned> round = 0;
  TestNode node([&](Talk& talk) {
    (void)talk.read_until("}");
    talk.say(http_answer(offer_json({++round % 2 == 0 ? "system_chain" : "system_name"})));
  });
  Asked asked({&node}, {.answer_ms = 1000, .retry_ms = 0, .again_ms = 0});
  const std::string nothing = asked.table->methods_result({});
  std::atomic<bool> are_whole = true;
  {
    std::vector<std::jthread> shards;
    for (int index = 0; index < 3; ++index) {
      shards.emplace_back([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
          const auto text = asked.offers->result_text(0);
          if (*text != nothing && *text != R"({"methods":["system_chain"]})" &&
              *text != R"({"methods":["system_name"]})") {
            are_whole = false;
          }
        }
      });
    }
    CHECK(comes([&] { return round > 20; }));
  }
  CHECK(are_whole);
}

}  // namespace
}  // namespace ringwall::upstream
