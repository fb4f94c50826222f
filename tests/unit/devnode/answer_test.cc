#include "devnode/answer.h"

#include "unit/catch.h"
#include "unit/devnode/fixture.h"

using namespace ringwall::devnode;

namespace {

constexpr const char* parse_failure = R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}})";
constexpr const char* invalid = R"({"jsonrpc":"2.0","id":null,"error":{"code":-32600,"message":"Invalid request"}})";
constexpr const char* chain_call = R"({"jsonrpc":"2.0","id":1,"method":"system_chainType"})";
constexpr const char* chain_answer = R"({"jsonrpc":"2.0","id":1,"result":"Development"})";

}  // namespace

TEST_CASE("a call is answered under its id") {
  Fixture fixture;
  CHECK(fixture.ask(chain_call) == chain_answer);
  CHECK(fixture.ask(std::string(" \f\r\n\t") + chain_call + " \n") == chain_answer);
}

TEST_CASE("what is no JSON, or more than one of it, is a parse error") {
  Fixture fixture;
  for (const std::string& text :
       {std::string(), std::string("x"), std::string("{"), std::string("\"a\""), chain_call + std::string("{}"),
        chain_call + std::string("x"), std::string("\xef\xbb\xbf") + chain_call, std::string("[1,]")}) {
    INFO(text);
    CHECK(fixture.ask(text) == parse_failure);
  }
  CHECK(fixture.ask(std::string(126, ' ') + chain_call) == chain_answer);
}

TEST_CASE("more white space than a node skips is a parse error") {
  Fixture fixture;
  CHECK(fixture.ask(std::string(127, ' ') + chain_call) == chain_answer);
  CHECK(fixture.ask(std::string(128, ' ') + chain_call) == parse_failure);
}

TEST_CASE("a method that does not exist, and an unsafe one that was not asked for, are told apart by their words") {
  Fixture fixture;
  CHECK(fixture.call("nothing") == R"("error":{"code":-32601,"message":"Method not found"})");
  CHECK(fixture.call("author_rotateKeys") ==
        R"("error":{"code":-32601,"message":"RPC call is unsafe to be called externally"})");
  Fixture unsafe({.allow_unsafe = true});
  CHECK(unsafe.call("author_rotateKeys").starts_with(R"("result":"0x)"));
}

TEST_CASE("notifications are not answered, alone or in a batch") {
  Fixture fixture;
  CHECK(fixture.ask(R"({"jsonrpc":"2.0","method":"system_chainType"})").empty());
  CHECK(fixture.ask(R"([{"jsonrpc":"2.0","method":"system_chainType"}])").empty());
}

TEST_CASE("a batch is answered as one list, in order, without its notifications") {
  Fixture fixture;
  const std::string batch = R"([{"jsonrpc":"2.0","method":"x"}, )" + std::string(chain_call) +
                            R"(,7,{"jsonrpc":"2.0","method":"x"},["2.0","b","system_localListenAddresses",[]]])";
  CHECK(fixture.ask(batch) ==
        "[" + std::string(chain_answer) + "," + invalid + R"(,{"jsonrpc":"2.0","id":"b","result":[]}])");
  CHECK(fixture.ask("[]") == invalid);
  CHECK(fixture.ask(" [ ] ") == invalid);
}

TEST_CASE("an answer over the bound is an error instead, and a batch over it as a whole") {
  Fixture fixture({.response_bytes_max = 200});
  const std::string fits = R"({"jsonrpc":"2.0","id":1,"method":"dev_bytes","params":[90]})";
  const std::string over = R"({"jsonrpc":"2.0","id":1,"method":"dev_bytes","params":[190]})";
  CHECK(fixture.ask(fits).size() == 126);
  CHECK(
      fixture.ask(over) ==
      R"({"jsonrpc":"2.0","id":1,"error":{"code":-32008,"message":"Response is too big","data":"Exceeded max limit of 200"}})");
  CHECK(
      fixture.ask("[" + fits + "," + fits + "]") ==
      R"({"jsonrpc":"2.0","id":null,"error":{"code":-32011,"message":"The batch response was too large","data":"Exceeded max limit of 200"}})");
}

TEST_CASE("asked to, it puts the id after the result") {
  Fixture fixture({.id_last = true});
  CHECK(fixture.ask(chain_call) == R"({"jsonrpc":"2.0","result":"Development","id":1})");
  CHECK(fixture.ask("x") == R"({"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error"},"id":null})");
}

TEST_CASE("rpc_methods names each method once, in order, and each of them is found") {
  Fixture fixture;
  simdjson::dom::parser parser;
  const std::string answer = fixture.ask(R"({"jsonrpc":"2.0","id":1,"method":"rpc_methods"})");
  std::string_view before;
  for (const std::string_view name : parser.parse(answer)["result"]["methods"].get_array()) {
    CHECK(before < name);
    CHECK(fixture.call(name).find("Method not found") == std::string::npos);
    before = name;
  }
  CHECK(!before.empty());
}

TEST_CASE("over POST there are no subscriptions") {
  Fixture fixture;
  CHECK(fixture.post(R"({"jsonrpc":"2.0","id":1,"method":"chain_subscribeNewHeads"})") ==
        R"({"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"Internal error"}})");
}
