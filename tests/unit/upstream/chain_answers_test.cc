#include <ringwall/upstream/chain_answers.h>

#include "unit/catch.h"

#include <string>
#include <tuple>
#include <vector>

namespace ringwall::upstream {
namespace {

std::string answer(const std::string& result) { return R"({"jsonrpc":"2.0","id":1,"result":)" + result + "}"; }

template <typename T>
std::string error_of(const CallResult<T>& result) {
  return result ? "none" : result.error().text;
}

TEST_CASE("system_health is read, with its members in any order and others among them") {
  const auto health = parse_system_health(answer(R"({"isSyncing":false,"x":[1],"shouldHavePeers":true,"peers":42})"));
  REQUIRE(health);
  CHECK(health->peers == 42);
  CHECK_FALSE(health->is_syncing);
  CHECK(health->should_have_peers);
}

TEST_CASE("half a health is none") {
  for (const char* result : {"null", "[]", "{}", "7", R"({"isSyncing":false,"shouldHavePeers":true})",
                             R"({"isSyncing":"false","shouldHavePeers":true,"peers":1})",
                             R"({"isSyncing":false,"shouldHavePeers":true,"peers":-1})",
                             R"({"isSyncing":false,"shouldHavePeers":true,"peers":1.5})"}) {
    INFO(result);
    CHECK(error_of(parse_system_health(answer(result))) ==
          "the node's answer to system_health has not what is due in it");
  }
}

TEST_CASE("a block's number is hexadecimal, and has 32 bits") {
  CHECK(parse_block_number(answer(R"({"parentHash":"0x00","number":"0x1b4"})")) == 0x1b4U);
  CHECK(parse_block_number(answer(R"({"number":"0x0"})")) == 0U);
  CHECK(parse_block_number(answer(R"({"number":"0xffffffff"})")) == 0xffff'ffffU);
  for (const char* result :
       {"null", "{}", R"({"number":436})", R"({"number":""})", R"({"number":"0x"})", R"({"number":"1b4"})",
        R"({"number":"0x1b4 "})", R"({"number":"0x-1"})", R"({"number":"0x100000000"})", R"({"number":"0xg"})"}) {
    INFO(result);
    CHECK(error_of(parse_block_number(answer(result))) == "the node's answer has no number of a block");
  }
}

TEST_CASE("a block's hash is what can be asked with again, and nothing else") {
  const std::string hash = "0x" + std::string(60, 'a') + "09AF";
  CHECK(parse_block_hash(answer('"' + hash + '"')) == hash);
  for (const std::string& result :
       {std::string("null"), "\"" + hash + "0\"", "\"" + hash.substr(1) + "0\"", "\"" + hash.substr(0, 65) + "g\"",
        "\"" + hash.substr(0, 65) + "\\\"\"", "[\"" + hash + "\"]"}) {
    INFO(result);
    CHECK(error_of(parse_block_hash(answer(result))) == "the node's answer has no hash of a block");
  }
}

TEST_CASE("that a method is unknown is told apart from what is broken, without a word of the node's") {
  for (const auto& [json, text, is_unknown] : std::vector<std::tuple<std::string, std::string, bool>>{
           {R"({"id":1,"error":{"code":-32601,"message":"evil"}})", "the node answers with error -32601", true},
           {R"({"id":1,"error":{"code":-32000,"message":"evil"}})", "the node answers with error -32000", false},
           {R"({"id":1,"error":"evil"})", "the node answers with an error", false},
           {R"({"id":2,"result":{}})", "the node answers another call", false},
           {R"({"id":1})", "the node's answer has no result", false},
           {"rubbish", "the node's answer is no JSON", false},
           {"", "the node's answer is no JSON", false},
       }) {
    INFO(json);
    const auto result = parse_system_health(json);
    REQUIRE_FALSE(result);
    CHECK(result.error().text == text);
    CHECK(result.error().is_unknown_method == is_unknown);
  }
  CHECK(parse_block_number(R"({"id":1,"error":null,"result":{"number":"0x1"}})") == 1U);
}

}  // namespace
}  // namespace ringwall::upstream
