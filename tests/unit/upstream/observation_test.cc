#include <ringwall/upstream/observation.h>

#include "test_node.h"
#include "unit/catch.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <string_view>
#include <utility>

namespace ringwall::upstream {
namespace {

using Kind = Observation::Kind;
using test::answer_with;
using test::http_answer;
using test::Talk;
using test::TestNode;

Observation look_at(std::uint16_t port, bool speaks_rpc = true, std::uint32_t timeout_ms = 5000) {
  Target target("node", "127.0.0.1", port, 0);
  (void)target.resolve();
  const int stop_event = eventfd(0, EFD_CLOEXEC);
  Observation seen = observe(target, speaks_rpc, stop_event, timeout_ms);
  close(stop_event);
  return seen;
}

std::string result(std::string_view json) {
  return http_answer(R"({"jsonrpc":"2.0","id":1,"result":)" + std::string(json) + "}");
}
std::string unknown() {
  return http_answer(R"({"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"Method not found"}})");
}

const std::string hash = "0x" + std::string(64, 'b');

struct Answers {
  std::string health = result(R"({"peers":3,"isSyncing":true,"shouldHavePeers":true})");
  std::string best = result(R"({"number":"0x20"})");
  std::string finalized_hash = result('"' + hash + '"');
  std::string finalized = result(R"({"number":"0x1e"})");
};

// A node that keeps its connections, or not.
TestNode::Script chain_node(const Answers& answers, bool keeps) {
  return [answers, keeps](Talk& talk) {
    do {
      const std::string asked = talk.read_until("}");
      if (asked.empty()) return;
      const bool is_header = asked.find("chain_getHeader") != std::string::npos;
      talk.say(asked.find("system_health") != std::string::npos            ? answers.health
               : asked.find("chain_getFinalizedHead") != std::string::npos ? answers.finalized_hash
               : is_header && asked.find(hash) != std::string::npos        ? answers.finalized
                                                                           : answers.best);
    } while (keeps);
  };
}

TEST_CASE("a chain is seen with its health, its best and its finalized block, over one connection") {
  TestNode node(chain_node({}, true));
  const Observation seen = look_at(node.port());
  CHECK(seen.kind == Kind::chain);
  CHECK(seen.peers == 3);
  CHECK(seen.is_syncing);
  CHECK(seen.should_have_peers);
  CHECK(seen.best == 0x20U);
  CHECK(seen.finalized == 0x1eU);
  CHECK(seen.latency_ns > 0U);
  CHECK(node.connections() == 1);
}

TEST_CASE("a node that knows no finality, or no headers, is a chain all the same") {
  TestNode node(chain_node({.finalized_hash = unknown()}, true));
  Observation seen = look_at(node.port());
  CHECK(seen.kind == Kind::chain);
  CHECK(seen.best == 0x20U);
  CHECK_FALSE(seen.finalized);
  node.set_script(chain_node({.best = unknown(), .finalized_hash = unknown()}, true));
  seen = look_at(node.port());
  CHECK(seen.kind == Kind::chain);
  CHECK_FALSE(seen.best);
}

TEST_CASE("of a node that does not know system_health, or speaks WebSockets alone, only the connection counts") {
  TestNode node(answer_with(unknown()));
  CHECK(look_at(node.port()).kind == Kind::open);
  for (const char* status : {"405 Method Not Allowed", "415 Unsupported Media Type", "426 Upgrade Required"}) {
    node.set_script(answer_with("HTTP/1.1 " + std::string(status) + "\r\nContent-Length: 0\r\n\r\n"));
    CHECK(look_at(node.port()).kind == Kind::open);
  }
}

TEST_CASE("a node that refuses the question for any other reason is failing, by its status") {
  TestNode node(answer_with(""));
  for (const char* status : {"400", "401", "403", "404", "500"}) {
    node.set_script(answer_with("HTTP/1.1 " + std::string(status) + " No\r\nContent-Length: 0\r\n\r\n"));
    const Observation seen = look_at(node.port());
    CHECK(seen.kind == Kind::failed);
    CHECK(seen.why == "the node answers with HTTP status " + std::string(status));
  }
}

TEST_CASE("what is served as a tunnel is asked nothing") {
  std::atomic<bool> was_asked = false;
  {
    TestNode node([&](Talk& talk) { was_asked = !talk.read_until("}").empty(); });
    CHECK(look_at(node.port(), false).kind == Kind::open);
  }
  CHECK_FALSE(was_asked);
}

TEST_CASE("a node at its limit is that, at whichever question") {
  const std::string busy = "HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n";
  TestNode node(answer_with(busy));
  CHECK(look_at(node.port()).kind == Kind::at_limit);
  node.set_script(chain_node({.finalized = busy}, true));
  CHECK(look_at(node.port()).kind == Kind::at_limit);
}

TEST_CASE("what is no answer is a failure that says what it was") {
  TestNode node([](Talk& talk) { talk.be_silent(); });
  const auto why = [&](TestNode::Script script) {
    node.set_script(std::move(script));
    const Observation seen = look_at(node.port(), true, 300);
    return seen.kind == Kind::failed ? seen.why : "no failure";
  };
  CHECK(why([](Talk& talk) { talk.be_silent(); }) == "the node does not answer in time");
  CHECK(why(answer_with("")) == "the node closed before its answer was whole");
  CHECK(why(answer_with("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")) == "the node answers with HTTP status 503");
  CHECK(why(answer_with(http_answer("rubbish"))) == "the node's answer is no JSON");
  CHECK(why(chain_node({.best = result("null")}, true)) == "the node's answer has no number of a block");
  CHECK(why(chain_node({.finalized_hash = result("7")}, true)) == "the node's answer has no hash of a block");
  CHECK(why(chain_node({.finalized = result("{}")}, true)) == "the node's answer has no number of a block");
}

TEST_CASE("silence is told from what is refused, closed, or said and then not finished") {
  TestNode node([](Talk& talk) { talk.be_silent(); });
  CHECK(look_at(node.port(), true, 300).is_silent);
  node.set_script(answer_with(""));
  CHECK_FALSE(look_at(node.port()).is_silent);
  node.set_script(answer_with("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"));
  CHECK_FALSE(look_at(node.port()).is_silent);
  node.set_script([](Talk& talk) {
    (void)talk.read_until("}");
    talk.say("HTTP/1.1 200 OK\r\n");
    talk.be_silent();
  });
  const Observation seen = look_at(node.port(), true, 300);
  CHECK(seen.why == "the node does not answer in time");
  CHECK_FALSE(seen.is_silent);
  CHECK_FALSE(look_at(TestNode([](Talk&) {}).port()).is_silent);
}

TEST_CASE("who takes no connection fails, whatever is asked") {
  const std::uint16_t port = TestNode([](Talk&) {}).port();
  for (const bool speaks_rpc : {true, false}) {
    const Observation seen = look_at(port, speaks_rpc);
    CHECK(seen.kind == Kind::failed);
    CHECK(seen.why == "the node takes no connection: Connection refused");
  }
}

}  // namespace
}  // namespace ringwall::upstream
