#include "load/mix.h"

#include <ringwall/rpc/method_table.h>
#include <ringwall/rpc/methods.h>
#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "unit/catch.h"

namespace {

using namespace ringwall;
using load::Mix;
using load::MixCall;

std::string written(const Mix& mix, std::size_t index, std::uint64_t id) {
  std::string out;
  mix.write(index, id, out);
  return out;
}

// The message of a mistake; empty where there is none.
std::string mistake(std::string_view text) {
  const auto mix = Mix::from_lines(text, "calls.jsonl");
  return mix ? "" : mix.error().message;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("every built-in mix has calls that are known, safe and valid JSON", "[mix]") {
  for (const char* name : {"public", "apps", "wallet", "indexer"}) {
    const auto mix = Mix::built_in(name);
    REQUIRE(mix);
    simdjson::dom::parser parser;
    for (std::size_t index = 0; index < (*mix)->calls().size(); ++index) {
      const MixCall& call = (*mix)->calls()[index];
      const auto known = std::ranges::find(rpc::known_methods(), call.method, &rpc::Method::name);
      REQUIRE(known != rpc::known_methods().end());
      CHECK((known->safety == rpc::Safety::safe || known->condition == rpc::Condition::has_keys));
      CHECK(known->kind != rpc::Kind::unsubscribe);
      CHECK(call.subscribes == (known->kind == rpc::Kind::subscribe));
      CHECK(call.subscribes == !call.unsubscribe_method.empty());
      simdjson::dom::element message;
      REQUIRE(parser.parse(written(**mix, index, 12)).get(message) == simdjson::SUCCESS);
      CHECK(std::string_view(message["jsonrpc"]) == "2.0");
      CHECK(std::uint64_t(message["id"]) == 12);
      CHECK(std::string_view(message["method"]) == call.method);
    }
  }
}

TEST_CASE("a byte order mark is told as what it is", "[mix]") {
  CHECK(mistake("\xEF\xBB\xBF{\"method\":\"a\"}\n") ==
        "calls.jsonl:1: found a byte order mark (BOM), expected UTF-8 without one");
}

TEST_CASE("the public mix has the calls of the other three, each by its share", "[mix]") {
  const auto mix = *Mix::built_in("public");
  double total = 0;
  for (const MixCall& call : mix->calls()) total += call.weight;
  CHECK(std::abs(total - 1) < 1e-9);
  for (const char* name : {"apps", "wallet", "indexer"}) {
    const auto part = *Mix::built_in(name);
    for (const MixCall& call : part->calls()) {
      const auto same = [&](const MixCall& other) {
        return other.method == call.method && other.params == call.params;
      };
      CHECK(std::ranges::any_of(mix->calls(), same));
    }
  }
}

TEST_CASE("a name that is not built in is told with those that are", "[mix]") {
  const auto mix = Mix::built_in("publik");
  REQUIRE(!mix);
  CHECK(has(mix.error().message, "publik"));
  CHECK(has(mix.error().message, "public, apps, wallet, indexer"));
}

TEST_CASE("calls are picked by weight, at the bounds too", "[mix]") {
  const auto mix = *Mix::from_lines(R"({"method":"a","weight":1}
{"method":"b","weight":2}
{"method":"c","weight":1})",
                                    "f");
  CHECK(mix->pick(0) == 0);
  CHECK(mix->pick(0.2499) == 0);
  CHECK(mix->pick(0.25) == 1);
  CHECK(mix->pick(0.7499) == 1);
  CHECK(mix->pick(0.75) == 2);
  CHECK(mix->pick(0.999999999) == 2);
}

TEST_CASE("recorded lines keep method and params, and lose id and jsonrpc", "[mix]") {
  const auto mix = *Mix::from_lines(
      "# recorded\r\n\n {\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"chain_getBlockHash\",\"params\":[ 0 ]} \r\n"
      "{\"method\":\"chain_getBlockHash\",\"params\":[1],\"weight\":2.5,\"answer_bytes\":40}",
      "f");
  REQUIRE(mix->calls().size() == 2);
  CHECK(mix->calls()[0].name == "chain_getBlockHash");
  CHECK(mix->calls()[1].name == "chain_getBlockHash#2");
  CHECK(mix->calls()[1].weight == 2.5);
  CHECK(mix->calls()[0].answer_bytes == std::nullopt);
  CHECK(mix->calls()[1].answer_bytes == 40);
  CHECK(written(*mix, 0, 18446744073709551615U) ==
        R"({"jsonrpc":"2.0","id":18446744073709551615,"method":"chain_getBlockHash","params":[0]})");
}

TEST_CASE("equal lines add their weights", "[mix]") {
  const auto mix =
      *Mix::from_lines("{\"method\":\"a\"}\n{\"method\":\"b\"}\n{\"params\":[],\"method\":\"a\",\"weight\":2}\n", "f");
  REQUIRE(mix->calls().size() == 2);
  CHECK(mix->calls()[0].weight == 3);
}

TEST_CASE("a method's odd characters stay escaped", "[mix]") {
  const auto mix = *Mix::from_lines(R"({"method":"a\"b\\c\u0001"})", "f");
  simdjson::dom::parser parser;
  simdjson::dom::element message;
  REQUIRE(parser.parse(written(*mix, 0, 1)).get(message) == simdjson::SUCCESS);
  CHECK(std::string_view(message["method"]) == "a\"b\\c\x01");
}

TEST_CASE("many different lines are told by method, and all of them are sent", "[mix]") {
  std::string text;
  for (int account = 0; account < 200; ++account)
    text += "{\"method\":\"get\",\"params\":[" + std::to_string(account) + "]}\n";
  text += "{\"method\":\"other\",\"weight\":200}\n{\"method\":\"get\",\"params\":[1],\"answer_bytes\":9}\n";
  const auto mix = *Mix::from_lines(text, "f");
  REQUIRE(mix->calls().size() == 3);
  CHECK(mix->calls()[0].name == "get");
  CHECK(mix->calls()[0].weight == 200);
  CHECK(mix->calls()[2].name == "get#2");
  CHECK(mix->calls()[2].answer_bytes == 9);
  std::map<std::string, int> seen;
  for (std::uint64_t id = 0; id < 20'000; ++id) {
    const std::string message = written(*mix, 0, id);
    ++seen[message.substr(message.find("params"))];
  }
  CHECK(seen.size() == 200);
  for (const auto& [params, times] : seen) {
    CHECK(times > 40);
    CHECK(times < 180);
  }
}

TEST_CASE("subscriptions are known by their method, and those that end one are left out", "[mix]") {
  const auto mix = *Mix::from_lines(R"({"method":"chain_subscribeFinalisedHeads"}
{"method":"eth_subscribe","params":["newHeads"]}
{"method":"chainHead_v1_follow","params":[false]}
{"method":"author_submitAndWatchExtrinsic","params":["0x"]}
{"method":"chain_unsubscribeNewHeads","params":["id"]}
{"method":"system_health"})",
                                    "f");
  REQUIRE(mix->calls().size() == 5);
  CHECK(mix->calls()[0].unsubscribe_method == "chain_unsubscribeFinalizedHeads");
  CHECK(mix->calls()[1].unsubscribe_method == "eth_unsubscribe");
  CHECK(mix->calls()[2].unsubscribe_method == "chainHead_v1_unfollow");
  CHECK(mix->calls()[3].unsubscribe_method == "author_unwatchExtrinsic");
  CHECK(!mix->calls()[4].subscribes);
  CHECK(mix->subscribes());
  const auto rest = mix->without_subscriptions();
  REQUIRE(rest);
  REQUIRE(rest->calls().size() == 1);
  CHECK(rest->pick(0.99) == 0);
  CHECK(!rest->subscribes());
  CHECK(has(written(*rest, 0, 1), "system_health"));
  CHECK((*Mix::from_lines(R"({"method":"eth_subscribe"})", "f"))->without_subscriptions() == nullptr);
}

TEST_CASE("each mistake names the file, the line, what was found and what would be right", "[mix]") {
  const auto wrong = [](std::string_view line) { return mistake("{\"method\":\"a\"}\n" + std::string(line)); };
  const struct {
    const char *line, *found, *right;
  } cases[] = {
      {"nonsense", "nonsense", "expected one JSON-RPC call a line"},
      {"{\"method\":\"a\"", "no JSON", "expected one JSON-RPC call a line"},
      {"[{\"method\":\"a\"}]", "a batch", "each on a line of its own"},
      {"7", "7", "expected an object"},
      {"{\"params\":[]}", "no \"method\"", "expected a call's name"},
      {"{\"method\":5}", "\"method\" is 5", "expected a name"},
      {"{\"method\":\"\"}", "\"method\" is", "expected a name"},
      {"{\"method\":\"a\",\"params\":7}", "\"params\" is 7", "an array or an object"},
      {"{\"method\":\"a\",\"weight\":0}", "\"weight\" is 0", "a number above 0"},
      {"{\"method\":\"a\",\"weight\":-1}", "\"weight\" is -1", "a number above 0"},
      {"{\"method\":\"a\",\"weight\":\"2\"}", "\"weight\" is \"2\"", "a number above 0"},
      {"{\"method\":\"a\",\"answer_bytes\":1.5}", "\"answer_bytes\" is 1.5", "a whole number"},
      {"{\"method\":\"a\",\"method\":\"b\"}", "\"method\" twice", "once"},
      {"{\"method\":\"a\",\"wieght\":2}", "\"wieght\"", "weight, answer_bytes"},
  };
  for (const auto& each : cases) {
    const std::string message = wrong(each.line);
    INFO(each.line << " -> " << message);
    CHECK(message.starts_with("calls.jsonl:2: "));
    CHECK(has(message, each.found));
    CHECK(has(message, each.right));
  }
  CHECK(has(mistake("# nothing\n"), "calls.jsonl: no call in it"));
  CHECK(has(mistake("{\"method\":\"chain_unsubscribeNewHeads\"}"), "but those that end a subscription"));
  CHECK(has(Mix::from_file("/nowhere/calls").error().message, "/nowhere/calls: No such file"));
}

TEST_CASE("a mistake's text steers no terminal", "[mix]") {
  const std::string message = mistake("\x1b]0;title\x07 \xff\xfe");
  CHECK(
      std::ranges::none_of(message, [](char byte) { return static_cast<unsigned char>(byte) < 0x20 || byte == 0x7F; }));
  CHECK(simdjson::validate_utf8(message));
}

TEST_CASE("bounds: of a line, of different methods", "[mix]") {
  CHECK(has(mistake("{\"method\":\"" + std::string(2 << 20, 'a') + "\"}"), "at most 1048576"));
  std::string text;
  for (std::size_t index = 0; index < Mix::calls_max; ++index)
    text += "{\"method\":\"m" + std::to_string(index) + "\"}\n";
  CHECK(mistake(text).empty());
  CHECK(has(mistake(text + "{\"method\":\"one more\"}"), "more than 256 different methods"));
}
