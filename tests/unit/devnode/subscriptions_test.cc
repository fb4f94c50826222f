#include "devnode/subscriptions.h"

#include "unit/catch.h"
#include "unit/devnode/fixture.h"

using namespace ringwall::devnode;

namespace {

std::string notification(std::string_view method, std::string_view id, std::string_view result) {
  return R"({"jsonrpc":"2.0","method":")" + std::string(method) + R"(","params":{"subscription":")" + std::string(id) +
         R"(","result":)" + std::string(result) + "}}";
}

constexpr const char* number_key = "0x26aa394eea5630e07c48ae0c9558cef702a5c1b19ab7a04f536c519aca4983ac";

}  // namespace

TEST_CASE("a subscription to heads tells the present one after its answer, then each new one") {
  Fixture fixture;
  CHECK(fixture.told.messages.empty());
  const std::string id = fixture.subscribe("chain_subscribeNewHead");
  REQUIRE(fixture.told.messages.size() == 1);
  CHECK(fixture.told.messages[0] == notification("chain_newHead", id, fixture.node.chain.header(0)->to_json()));
  fixture.advance();
  REQUIRE(fixture.told.messages.size() == 2);
  CHECK(fixture.told.messages[1] == notification("chain_newHead", id, fixture.node.chain.header(1)->to_json()));
}

TEST_CASE("finalized heads are told when there is a new one") {
  Fixture fixture({.finality_lag = 1});
  const std::string id = fixture.subscribe("chain_subscribeFinalizedHeads");
  fixture.advance();
  CHECK(fixture.told.messages.size() == 1);
  fixture.advance();
  REQUIRE(fixture.told.messages.size() == 2);
  CHECK(fixture.told.messages[1] == notification("chain_finalizedHead", id, "\"finalized\""));
}

TEST_CASE("the runtime's version is told once") {
  Fixture fixture;
  const std::string id = fixture.subscribe("state_subscribeRuntimeVersion");
  fixture.advance();
  CHECK(fixture.told.messages ==
        std::vector{notification("state_runtimeVersion", id, fixture.node.runtime.version_json())});
}

TEST_CASE("storage is told with nulls at first, then what changed") {
  Fixture fixture;
  (void)fixture.subscribe("state_subscribeStorage", "[[\"" + std::string(number_key) + "\",\"0x00\"]]");
  (void)fixture.subscribe("state_subscribeStorage", "[[\"0x00\"]]");
  fixture.advance();
  REQUIRE(fixture.told.messages.size() == 3);
  CHECK(fixture.told.messages[0].find(R"(["0x00",null])") != std::string::npos);
  CHECK(fixture.told.messages[2].find(R"("0x01000000"]]}}})") != std::string::npos);
  CHECK(fixture.call("state_subscribeStorage").find("unsafe") != std::string::npos);
}

TEST_CASE("an unsubscription ends its own subscription, and is false for any other") {
  Fixture fixture;
  const std::string first = fixture.subscribe("chain_subscribeNewHeads");
  const std::string second = fixture.subscribe("subscribe_newHead");
  CHECK(fixture.call("chain_unsubscribeAllHeads", "[\"" + first + "\"]") == "\"result\":false");
  CHECK(fixture.call("chain_unsubscribeNewHead", "[\"" + first + "\"]") == "\"result\":true");
  CHECK(fixture.call("chain_unsubscribeNewHead", "[\"" + first + "\"]") == "\"result\":false");
  CHECK(fixture.call("chain_unsubscribeNewHead", "[]").find("-32602") != std::string::npos);
  fixture.told.messages.clear();
  fixture.advance();
  REQUIRE(fixture.told.messages.size() == 1);
  CHECK(fixture.told.messages[0].find(second) != std::string::npos);
}

TEST_CASE("one subscription more than the bound is an error") {
  Fixture fixture({.subscriptions_max = 1});
  (void)fixture.subscribe("chain_subscribeNewHeads");
  CHECK(
      fixture.call("chain_subscribeNewHeads") ==
      R"("error":{"code":-32006,"message":"Too many subscriptions on the connection","data":"Exceeded max limit of 1"})");
}

TEST_CASE("heads that come while the reader is behind are left out") {
  Fixture fixture;
  (void)fixture.subscribe("chain_subscribeNewHeads");
  fixture.told.room = 1;
  fixture.advance();
  CHECK(fixture.told.messages.size() == 1);
  fixture.told.room = 10;
  fixture.advance();
  REQUIRE(fixture.told.messages.size() == 2);
  CHECK(fixture.told.messages[1].find(R"("number":"0x2")") != std::string::npos);
}
