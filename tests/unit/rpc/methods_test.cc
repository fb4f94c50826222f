#include <ringwall/rpc/methods.h>

#include <algorithm>
#include <string_view>

#include "unit/catch.h"

namespace {

using namespace ringwall::rpc;

const Method& method(std::string_view name) {
  const auto found = std::ranges::find(known_methods(), name, &Method::name);
  REQUIRE(found != known_methods().end());
  return *found;
}

}  // namespace

TEST_CASE("all methods that were read in polkadot-sdk are known") {
  CHECK(known_methods().size() == 171);
  CHECK(std::ranges::count(known_methods(), Safety::unsafe_, &Method::safety) == 28);
  CHECK(std::ranges::count(known_methods(), Safety::conditional, &Method::safety) == 3);
}

TEST_CASE("what a node checks is unsafe, and so is what it ought to check") {
  for (const auto* name :
       {"author_rotateKeys", "author_insertKey", "system_addReservedPeer", "offchain_localStorageSet", "state_getPairs",
        "engine_createBlock", "engine_finalizeBlock", "statement_remove"}) {
    CHECK(method(name).safety == Safety::unsafe_);
  }
}

TEST_CASE("a conditional method has a condition, and an unsafe one needs none") {
  for (const Method& each : known_methods()) {
    INFO(each.name);
    const bool decides = each.condition == Condition::has_keys || each.condition == Condition::unbounded;
    CHECK((each.safety == Safety::conditional) == decides);
    if (each.safety == Safety::unsafe_) CHECK(each.condition == Condition::none);
  }
}

TEST_CASE("a subscription's methods are each other's pair, and an alias has the pair of what it stands for") {
  const auto pair = [](std::string_view name) { return known_methods()[method(name).pair].name; };
  CHECK(pair("chain_subscribeNewHeads") == "chain_unsubscribeNewHeads");
  CHECK(pair("chain_unsubscribeNewHeads") == "chain_subscribeNewHeads");
  CHECK(pair("subscribe_newHead") == "chain_unsubscribeNewHeads");
  CHECK(pair("author_submitAndWatchExtrinsic") == "author_unwatchExtrinsic");
  CHECK(pair("chainHead_v1_unfollow") == "chainHead_v1_follow");
  CHECK(method("system_health").pair == no_method);
}
