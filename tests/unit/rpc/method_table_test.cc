#include <ringwall/rpc/method_table.h>

#include <string>
#include <vector>

#include "unit/catch.h"

namespace {

using namespace ringwall::rpc;
using Names = std::vector<std::string>;

MethodTable table(const MethodSettings& settings) {
  auto made = MethodTable::make(settings);
  REQUIRE(made.has_value());
  return *std::move(made);
}

Call call(std::string_view method, std::string_view params = "[]") {
  return {.form = Call::Form::call, .method = method, .id = "1", .params = params};
}

Verdict verdict(const MethodSettings& settings, std::string_view method, std::string_view params = "[]") {
  return table(settings).decide(call(method, params)).verdict;
}

std::string error(const MethodSettings& settings) {
  const auto made = MethodTable::make(settings);
  return made ? "" : made.error().message;
}

const MethodSettings safe;
const MethodSettings open = {.policy = Policy::open};
const MethodSettings all = {.policy = Policy::all};

}  // namespace

TEST_CASE("safe lets the known safe methods pass, and no other") {
  CHECK(verdict(safe, "system_health") == Verdict::allowed);
  CHECK(verdict(safe, "author_rotateKeys") == Verdict::unsafe_);
  CHECK(verdict(safe, "engine_createBlock") == Verdict::unsafe_);
  CHECK(verdict(safe, "eth_blockNumber") == Verdict::not_offered);
  CHECK(verdict(safe, "") == Verdict::not_offered);
  CHECK(verdict(safe, "system_healt") == Verdict::not_offered);
  CHECK(verdict(safe, "system_health ") == Verdict::not_offered);
  CHECK(verdict(safe, std::string("system_health\0", 14)) == Verdict::not_offered);
  CHECK(verdict(safe, "System_health") == Verdict::not_offered);
}

TEST_CASE("open denies the known unsafe methods, all denies none") {
  CHECK(verdict(open, "eth_blockNumber") == Verdict::allowed);
  CHECK(verdict(open, "author_rotateKeys") == Verdict::unsafe_);
  CHECK(verdict(open, "state_subscribeStorage") == Verdict::unsafe_);
  for (const auto* name : {"eth_blockNumber", "author_rotateKeys", "state_subscribeStorage", "state_getStorageSize"}) {
    CHECK(verdict(all, name) == Verdict::allowed);
  }
}

TEST_CASE("every known method is decided as its row says, under each policy") {
  const MethodTable safe_table = table(safe), open_table = table(open), all_table = table(all);
  for (const Method& method : known_methods()) {
    INFO(method.name);
    const Verdict expected = method.safety == Safety::safe ? Verdict::allowed : Verdict::unsafe_;
    CHECK(safe_table.decide(call(method.name)).verdict == expected);
    CHECK(open_table.decide(call(method.name)).verdict == expected);
    const Decision decision = all_table.decide(call(method.name));
    CHECK(decision.verdict == Verdict::allowed);
    CHECK(all_table.methods()[decision.method] == method.name);
    CHECK(decision.kind == method.kind);
    CHECK(decision.pair == method.pair);
  }
}

TEST_CASE("an invalid call never passes, and a notification is decided as a call") {
  for (const MethodSettings& settings : {safe, open, all, MethodSettings{.allow = {"*"}}}) {
    Call invalid = call("system_health");
    invalid.form = Call::Form::invalid;
    CHECK(table(settings).decide(invalid).verdict == Verdict::invalid);
  }
  Call notification = call("author_rotateKeys");
  notification.form = Call::Form::notification;
  CHECK(table(safe).decide(notification).verdict == Verdict::unsafe_);
}

TEST_CASE("allow lets names and prefixes pass") {
  const MethodSettings settings = {.allow = {"eth_*", "author_hasKey", "own_method"}};
  CHECK(verdict(settings, "eth_call") == Verdict::allowed);
  CHECK(verdict(settings, "eth_") == Verdict::allowed);
  CHECK(verdict(settings, "eth") == Verdict::not_offered);
  CHECK(verdict(settings, "ETH_call") == Verdict::not_offered);
  CHECK(verdict(settings, "author_hasKey") == Verdict::allowed);
  CHECK(verdict(settings, "author_hasSessionKeys") == Verdict::unsafe_);
  CHECK(verdict(settings, "own_method") == Verdict::allowed);
  CHECK(verdict(settings, "own_methods") == Verdict::not_offered);
}

TEST_CASE("a method that is not known subscribes by its name") {
  const auto table = MethodTable::make({.allow = {"eth_*", "own_unsubscribeBlocks"}}).value();
  const auto kind = [&](std::string_view method) { return table.decide({.method = method}).kind; };
  CHECK(kind("eth_subscribe") == Kind::subscribe);
  CHECK(kind("eth_unsubscribe") == Kind::unsubscribe);
  CHECK(kind("own_unsubscribeBlocks") == Kind::unsubscribe);
  CHECK(kind("eth_call") == Kind::call);
  CHECK(kind("eth_resubscribe") == Kind::call);
}

TEST_CASE("deny wins over allow and over every policy") {
  for (const Policy policy : {Policy::safe, Policy::open, Policy::all}) {
    const MethodSettings settings = {
        .policy = policy, .allow = {"eth_*", "system_health"}, .deny = {"system_*", "eth_sign"}};
    CHECK(verdict(settings, "system_health") == Verdict::not_offered);
    CHECK(verdict(settings, "system_unheard_of") == Verdict::not_offered);
    CHECK(verdict(settings, "eth_sign") == Verdict::not_offered);
    CHECK(verdict(settings, "eth_call") == Verdict::allowed);
    CHECK(verdict(settings, "chain_getHeader") == Verdict::allowed);
  }
}

TEST_CASE("a subscription to storage needs keys") {
  for (const auto* params : {R"([["0x00"]])", R"( [ [ "0x00" , "0x01" ] ] )", R"([["0x00"],1])"}) {
    CHECK(verdict(safe, "state_subscribeStorage", std::string_view(params).substr(params[0] == ' ' ? 1 : 0)) ==
          Verdict::allowed);
  }
  for (const auto* params : {"", "[]", "[null]", "[[]]", "[ [ ] ]", "null", "{}", R"({"keys":["0x00"]})", R"(["0x00"])",
                             R"([{"0":["0x00"]}])", R"("[[1]]")", R"([null,["0x00"]])"}) {
    CHECK(verdict(safe, "state_subscribeStorage", params) == Verdict::unsafe_);
    CHECK(verdict({.allow = {"state_subscribeStorage"}}, "state_subscribeStorage", params) == Verdict::allowed);
  }
}

TEST_CASE("what no params can make safe passes only if it is named") {
  CHECK(verdict(safe, "state_getStorageSize", R"(["0x00"])") == Verdict::unsafe_);
  CHECK(verdict({.allow = {"state_getStorageSize"}}, "state_getStorageSize", R"(["0x00"])") == Verdict::allowed);
}

TEST_CASE("runtime functions can be limited, for every method that runs them and under every policy") {
  for (const Policy policy : {Policy::safe, Policy::open, Policy::all}) {
    const MethodSettings settings = {
        .policy = policy, .allow = {"state_call"}, .runtime_apis = {"Core_version", "Aura*"}};
    const MethodTable limited = table(settings);
    const auto verdict_of = [&](std::string_view method, std::string_view params) {
      return limited.decide(call(method, params)).verdict;
    };
    CHECK(verdict_of("state_call", R"(["Core_version","0x"])") == Verdict::allowed);
    CHECK(verdict_of("state_call", R"(["Core_\u0076ersion","0x"])") == Verdict::allowed);
    CHECK(verdict_of("state_call", R"(["AuraApi_slot_duration","0x"])") == Verdict::allowed);
    CHECK(verdict_of("state_callAt", R"(["Core_version","0x","0x00"])") == Verdict::allowed);
    CHECK(verdict_of("archive_v1_call", R"(["0x00","Core_version","0x"])") == Verdict::allowed);
    CHECK(verdict_of("chainHead_v1_call", R"(["a,]\"b","0x00","Core_version","0x"])") == Verdict::allowed);
    for (const auto* params : {"", "[]", "[\"Core_versio\"]", R"(["Core_execute_block","0x"])", R"([["Core_version"]])",
                               R"({"name":"Core_version"})", R"([null])", R"(["\ud800"])"}) {
      CHECK(verdict_of("state_call", params) == Verdict::not_offered);
      CHECK(verdict_of("state_callAt", params) == Verdict::not_offered);
      CHECK(verdict_of("archive_v1_call", params) == Verdict::not_offered);
    }
    CHECK(verdict_of("chainHead_v1_call", R"(["Core_version","Core_version","Core_execute_block"])") ==
          Verdict::not_offered);
  }
  CHECK(verdict(safe, "state_call", R"(["Core_execute_block","0x"])") == Verdict::allowed);
}

TEST_CASE("a call costs what its class costs, unless the configuration names it") {
  const auto cost = [](const MethodSettings& settings, std::string_view method) {
    return table(settings).decide(call(method)).cost_units;
  };
  CHECK(cost(safe, "system_health") == 1);
  CHECK(cost(safe, "state_getStorage") == 5);
  CHECK(cost(safe, "state_call") == 20);
  CHECK(cost(safe, "author_insertKey") == 1);
  CHECK(cost(safe, "eth_call") == 5);
  const MethodSettings settings = {
      .cheap_units = 2,
      .normal_units = 6,
      .heavy_units = 30,
      .costs = {{"state_*", 7}, {"eth_*", 50}, {"state_get*", 8}, {"state_getMetadata", 9}, {"eth_chainId", 1}}};
  CHECK(cost(settings, "system_health") == 2);
  CHECK(cost(settings, "chain_getBlock") == 6);
  CHECK(cost(settings, "author_submitExtrinsic") == 30);
  CHECK(cost(settings, "state_call") == 7);
  CHECK(cost(settings, "state_getStorage") == 8);
  CHECK(cost(settings, "state_getMetadata") == 9);
  CHECK(cost(settings, "eth_chainId") == 1);
  CHECK(cost(settings, "eth_call") == 50);
}

TEST_CASE("a method that is named nowhere has no index, one in the configuration has") {
  const MethodTable made = table({.allow = {"own_method", "eth_*"}});
  CHECK(made.decide(call("eth_call")).method == no_method);
  const MethodIndex index = made.decide(call("own_method")).method;
  REQUIRE(index < made.methods().size());
  CHECK(made.methods()[index] == "own_method");
  CHECK(made.methods()[made.methods_call()] == "rpc_methods");
}

TEST_CASE("many names are found in a table that is full of them") {
  MethodSettings settings;
  for (int i = 0; i < 1024; ++i) settings.allow.push_back("m" + std::to_string(i));
  const MethodTable full = table(settings);
  for (int i = 0; i < 2048; ++i) {
    CHECK(full.verdict_on("m" + std::to_string(i)) == (i < 1024 ? Verdict::allowed : Verdict::not_offered));
  }
}

TEST_CASE("rpc_methods lists what is offered and allowed") {
  const MethodTable made = table({.allow = {"eth_*"}, .deny = {"system_peers", "system_name"}});
  const Names offered = {"system_health",        "eth_call", "author_rotateKeys",
                         "system_name",          "own",      "state_subscribeStorage",
                         "state_getStorageSize", "eth_call", "bad\"name"};
  CHECK(made.methods_result(offered) == R"({"methods":["eth_call","state_subscribeStorage","system_health"]})");
  CHECK(table({.deny = {"*"}}).methods_result({}) == R"({"methods":[]})");
  const std::string known = table(safe).methods_result({});
  CHECK(known.find("\"system_health\"") != std::string::npos);
  CHECK(known.find("author_rotateKeys") == std::string::npos);
}

TEST_CASE("what is no pattern is told with the list it stands in") {
  CHECK(error({.allow = {""}}).starts_with("allow: \"\" is empty"));
  CHECK(error({.deny = {"a*b"}}).starts_with("deny: \"a*b\" has an asterisk before its end"));
  CHECK(error({.deny = {"a**"}}).starts_with("deny: \"a**\" has an asterisk before its end"));
  CHECK(error({.costs = {{"a b", 1}}}).starts_with("costs: \"a b\" has a character"));
  CHECK(error({.runtime_apis = {"Core_\n"}}).starts_with("runtime_apis: "));
  CHECK(error({.allow = Names(1025, "a")}) == "allow has 1025 entries, of at most 1024");
  CHECK(error({.allow = Names(1024, "a"), .deny = {"*"}}).empty());
}
