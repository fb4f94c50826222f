#include <ringwall/session/call_table.h>

#include <string>

#include "unit/catch.h"
#include "unit/session/calls.h"

namespace ringwall::session {
namespace {

using Ended = CallTable::Ended;

constexpr Ended nothing = {};
constexpr Ended one_call = {.calls = 1, .subscriptions = 0};
constexpr Ended one_of_each = {.calls = 1, .subscriptions = 1};
constexpr Ended one_subscription = {.calls = 0, .subscriptions = 1};

const std::string heads = "chain_subscribeNewHeads";
const std::string no_heads = "chain_unsubscribeNewHeads";
const std::string live = R"("Sub0")";

// With a subscription of new heads that is live.
Calls with_live() {
  Calls calls;
  calls.send("1", heads);
  CHECK(calls.result("1", live) == one_call);
  CHECK(calls.table.subscriptions() == 1);
  CHECK(calls.table.calls() == 0);
  return calls;
}

void check_counts(const Calls& calls, unsigned in_flight, unsigned subscriptions) {
  CHECK(calls.table.calls() == in_flight);
  CHECK(calls.table.subscriptions() == subscriptions);
}

TEST_CASE("a call is in flight until it is answered, in any order, by a result or an error") {
  Calls calls;
  calls.send("1", "system_health");
  calls.send(R"("1")", "system_health");
  calls.send("", "system_health");
  check_counts(calls, 2, 0);
  CHECK(calls.result("2", "{}") == nothing);
  CHECK(calls.error(R"("1")") == one_call);
  CHECK(calls.error(R"("1")") == nothing);
  CHECK(calls.result("1", "{}") == one_call);
  check_counts(calls, 0, 0);
  CHECK(calls.table.bytes_held() <= CallTable::bytes_idle_max);
}

TEST_CASE("a message that is not understood ends nothing") {
  Calls calls = with_live();
  calls.send("1", "system_health");
  calls.table.add_batch(3, 0);
  for (const char* text : {"", "{", "garbage", R"({"id":1})", R"({"id":1,"result":1,"result":2})"}) {
    CHECK(calls.hear(text) == nothing);
  }
  check_counts(calls, 4, 1);
}

TEST_CASE("a subscribe that fails was never live") {
  Calls calls;
  calls.send("1", heads);
  check_counts(calls, 1, 1);
  CHECK(calls.error("1") == one_of_each);
  CHECK(calls.table.bytes_held() <= CallTable::bytes_idle_max);
}

TEST_CASE("a subscribe without an id is none") {
  Calls calls;
  calls.send("", heads);
  check_counts(calls, 0, 0);
}

TEST_CASE("a subscription lives until its unsubscribe is answered with true, whichever way it names it") {
  for (const std::string id : {R"("Sub0")", "0", "18446744073709551615"}) {
    for (const std::string& params : {"[" + id + "]", "[ " + id + " ]", R"({"subscription":)" + id + "}"}) {
      Calls calls;
      calls.send("1", heads);
      CHECK(calls.result("1", id) == one_call);
      calls.send("2", no_heads, params);
      check_counts(calls, 1, 1);
      CHECK(calls.result("2", "true") == one_of_each);
      CHECK(calls.table.bytes_held() <= CallTable::bytes_idle_max);
    }
  }
}

TEST_CASE("an unsubscribe that is not answered with true, or names nothing that lives, ends no subscription") {
  Calls calls = with_live();
  const auto refused = [&](const std::string& params, const std::string& value) {
    calls.send("2", no_heads, params);
    CHECK(calls.result("2", value) == one_call);
  };
  for (const char* value : {"false", "null", R"("true")", "1", "{}"}) refused(R"(["Sub0"])", value);
  for (const char* params : {"[]", "", R"(["Sub1"])", "[[\"Sub0\"]]", "[null]", R"({"a":"Sub0","b":1})"}) {
    refused(params, "true");
  }
  calls.send("2", no_heads, R"(["Sub0"])");
  CHECK(calls.error("2") == one_call);
  check_counts(calls, 0, 1);
}

TEST_CASE("a subscribe that is answered with no id stays counted") {
  for (const char* value : {"null", "true", "{}", "[1]"}) {
    Calls calls;
    calls.send("1", heads);
    CHECK(calls.result("1", value) == one_call);
    check_counts(calls, 0, 1);
  }
}

TEST_CASE("an unsubscribe of another method ends nothing, one of an alias does") {
  Calls calls = with_live();
  calls.send("2", "state_unsubscribeStorage", R"(["Sub0"])");
  CHECK(calls.result("2", "true") == one_call);
  calls.send("2", "chain_unsubscribeAllHeads", R"(["Sub0"])");
  CHECK(calls.result("2", "true") == one_call);
  calls.send("2", "chain_unsubscribeNewHead", R"(["Sub0"])");
  CHECK(calls.result("2", "true") == one_of_each);
}

TEST_CASE("every subscribe that is known is ended by its pair, and by every unsubscribe that names the same pair") {
  const auto known = rpc::known_methods();
  int ended = 0;
  for (const rpc::Method& subscribe : known) {
    if (subscribe.kind != rpc::Kind::subscribe) continue;
    const rpc::Method& pair = known[subscribe.pair];
    for (const rpc::Method& unsubscribe : known) {
      if (unsubscribe.kind != rpc::Kind::unsubscribe) continue;
      Calls calls;
      calls.send("1", subscribe.name, R"([["0x00"]])");
      CHECK(calls.result("1", live) == one_call);
      calls.send("2", unsubscribe.name, R"(["Sub0"])");
      INFO(subscribe.name << " and " << unsubscribe.name);
      const bool same = unsubscribe.pair == pair.pair;
      CHECK((calls.result("2", "true") == (same ? one_of_each : one_call)));
      if (&unsubscribe == &pair) CHECK(same);
      ended += same ? 1 : 0;
    }
  }
  CHECK(ended >= 25);
}

TEST_CASE("the last notification of a subscription ends it, any other and one of another subscription does not") {
  Calls calls = with_live();
  CHECK(calls.hear(R"({"jsonrpc":"2.0","method":"chain_newHead","params":{"subscription":"Sub0","result":{}}})") ==
        nothing);
  CHECK(calls.last(R"("Sub1")") == nothing);
  CHECK(calls.last(live) == one_subscription);
  CHECK(calls.last(live) == nothing);
  calls.send("2", no_heads, R"(["Sub0"])");
  CHECK(calls.result("2", "true") == one_call);
  check_counts(calls, 0, 0);
}

TEST_CASE("two unsubscribes of one subscription end it once, though the node said true to both") {
  Calls calls = with_live();
  calls.send("5", heads);
  CHECK(calls.result("5", R"("Sub1")") == one_call);
  calls.send("2", no_heads, R"(["Sub0"])");
  calls.send("3", no_heads, R"(["Sub0"])");
  CHECK(calls.result("3", "true") == one_of_each);
  CHECK(calls.result("2", "true") == one_call);
  check_counts(calls, 0, 1);
}

TEST_CASE("nobody gets rid of a live subscription by an unsubscribe and a call of the same id that answers true") {
  for (const bool unsubscribe_first : {true, false}) {
    for (const bool unsubscribe_answered_first : {true, false}) {
      Calls calls = with_live();
      // The node refuses two parameters; or the params are right, and the call is taken for it.
      const auto unsubscribe = [&] { calls.send("7", no_heads, R"(["Sub0",1])"); };
      if (unsubscribe_first) unsubscribe();
      calls.send("7", "author_hasKey");
      if (!unsubscribe_first) unsubscribe();
      if (unsubscribe_answered_first) CHECK(calls.error("7") == one_call);
      CHECK(calls.result("7", "true") == one_call);
      if (!unsubscribe_answered_first) CHECK(calls.error("7") == one_call);
      check_counts(calls, 0, 1);
      CHECK(calls.last(live) == one_subscription);
    }
  }
}

TEST_CASE("nobody gets rid of a subscribe that is slow by a call of the same id that fails") {
  Calls calls;
  calls.send("7", heads);
  calls.send("7", "system_health");
  CHECK(calls.error("7") == one_call);
  CHECK(calls.result("7", live) == one_call);
  check_counts(calls, 0, 1);
  // The id is clear again.
  calls.send("7", heads);
  CHECK(calls.error("7") == one_of_each);
}

TEST_CASE("of two calls of an id the second is unclear too, when the first was answered before it was sent it is not") {
  Calls calls;
  calls.send("7", "system_health");
  calls.send("7", "system_health");
  CHECK(calls.result("7", "{}") == one_call);
  calls.send("7", heads);
  CHECK(calls.error("7") == one_call);
  CHECK(calls.error("7") == one_call);
  check_counts(calls, 0, 1);
}

TEST_CASE("a string that another call answers is no subscription of the subscribe with its id") {
  Calls calls;
  calls.send("7", "system_chain");
  calls.send("7", heads);
  CHECK(calls.result("7", R"("Polkadot")") == one_call);
  CHECK(calls.result("7", live) == one_call);
  CHECK(calls.last(R"("Polkadot")") == nothing);
  check_counts(calls, 0, 1);
}

TEST_CASE("an id with escapes is not taken for one that the node writes the same") {
  Calls calls = with_live();
  calls.send(R"("a")", no_heads, R"(["Sub0",1])");
  calls.send(R"("\u0061")", "author_hasKey");
  CHECK(calls.table.untracked() == 1);
  CHECK(calls.result(R"("a")", "true") == one_call);
  CHECK(calls.error(R"("a")") == one_call);
  CHECK(calls.table.untracked() == 0);
  check_counts(calls, 0, 1);
  // Afterwards all is clear.
  calls.send("2", no_heads, R"(["Sub0"])");
  CHECK(calls.result("2", "true") == one_of_each);
}

TEST_CASE("a batch is ended by its answer as a whole, and its subscribes stay counted") {
  Calls calls;
  calls.table.add_batch(0, 0);
  CHECK(calls.table.bytes_held() <= CallTable::bytes_idle_max);
  calls.table.add_batch(5, 2);
  calls.send("1", "system_health");
  check_counts(calls, 6, 2);
  CHECK(calls.hear("[1]") == Ended{.calls = 5, .subscriptions = 0});
  CHECK(calls.hear("[1]") == nothing);
  check_counts(calls, 1, 2);
}

TEST_CASE("a small batch's answer does not hide a large batch that is slow") {
  Calls calls;
  calls.table.add_batch(1000, 0);
  calls.table.add_batch(1, 0);
  calls.table.add_batch(30, 0);
  CHECK(calls.hear("[]") == one_call);
  CHECK(calls.hear(" []") == Ended{.calls = 30, .subscriptions = 0});
  CHECK(calls.hear("[") == Ended{.calls = 1000, .subscriptions = 0});
  CHECK(calls.table.bytes_held() <= CallTable::bytes_idle_max);
}

TEST_CASE("an error with id null answers a batch, unless a call with id null is in flight") {
  Calls calls;
  CHECK(calls.error("null") == nothing);
  calls.table.add_batch(5, 1);
  CHECK(calls.result("null", "1") == nothing);
  calls.send("null", heads);
  CHECK(calls.error("null") == one_call);
  check_counts(calls, 5, 2);
  CHECK(calls.error("null") == Ended{.calls = 5, .subscriptions = 0});
}

TEST_CASE("a subscription by a method that is not known ends by such a one, and by no known one") {
  Calls calls;
  calls.send("1", "eth_subscribe", R"(["newHeads"])");
  check_counts(calls, 1, 1);
  CHECK(calls.result("1", R"("0x9c")") == one_call);
  calls.send("2", no_heads, R"(["0x9c"])");
  CHECK(calls.result("2", "true") == one_call);
  calls.send("3", "eth_unsubscribe", R"(["0x9c"])");
  CHECK(calls.result("3", "true") == one_of_each);
  check_counts(calls, 0, 0);
  calls = with_live();
  calls.send("4", "eth_unsubscribe", "[" + live + "]");
  CHECK(calls.result("4", "true") == one_call);
  check_counts(calls, 0, 1);
}

TEST_CASE("a message that the node may not take is answered with id null, and that ends one call") {
  Calls calls;
  calls.send("1", "author_submitExtrinsic", "[]", CallTable::message_bytes_tracked_max + 1);
  calls.send("2", heads, "[]", CallTable::message_bytes_tracked_max + 1);
  calls.send("3", "system_health");
  check_counts(calls, 3, 1);
  CHECK(calls.error("null") == one_call);
  CHECK(calls.result("3", "{}") == one_call);
  CHECK(calls.result("2", live) == one_call);
  check_counts(calls, 0, 1);
  CHECK(calls.error("null") == nothing);
}

TEST_CASE("ids beyond the bound are untracked, and while one is, answers end calls alone") {
  Calls calls = with_live();
  const auto id = [](std::size_t i) { return std::to_string(i); };
  for (std::size_t i = 0; i < CallTable::ids_max; ++i) calls.send(id(1000 + i), "system_health");
  CHECK(calls.table.untracked() == 0);
  calls.send("1", heads);
  CHECK(calls.table.untracked() == 1);
  check_counts(calls, CallTable::ids_max + 1, 2);
  CHECK(calls.error("1") == one_call);  // stays counted: nothing is known of it
  CHECK(calls.table.untracked() == 0);
  check_counts(calls, CallTable::ids_max, 2);

  calls.send("1", "system_health");
  CHECK(calls.result("1000", "1") == one_call);
  calls.send("1", heads);  // tracked, but an error may be the other's
  calls.send("1001", no_heads, R"(["Sub0"])");
  CHECK(calls.error("1") == one_call);
  CHECK(calls.result("1", R"("Sub1")") == one_call);
  CHECK(calls.table.untracked() == 0);
  for (std::size_t i = 1; i < CallTable::ids_max; ++i) CHECK(calls.result(id(1000 + i), "1") == one_call);
  CHECK(calls.result("1001", "true") == one_call);
  check_counts(calls, 0, 3);
}

TEST_CASE("one id may be in flight as often as any") {
  Calls calls;
  for (int i = 0; i < 1000; ++i) calls.send("7", "system_health");
  check_counts(calls, 1000, 0);
  for (int i = 0; i < 1000; ++i) CHECK(calls.result("7", "{}") == one_call);
  CHECK(calls.result("7", "{}") == nothing);
  check_counts(calls, 0, 0);
}

TEST_CASE("memory follows what is in flight and live, to a bound, and is given back") {
  Calls calls;
  for (std::size_t i = 0; i < CallTable::subscriptions_max + 10; ++i) {
    calls.send("1", heads);
    CHECK(calls.result("1", std::to_string(i)) == one_call);
  }
  calls.send("1", "system_health");
  CHECK(calls.table.bytes_held() < 8 * 2 * CallTable::subscriptions_max);
  for (std::size_t i = 0; i < 2 * CallTable::ids_max; ++i) {
    calls.send(std::to_string(i), "system_health");
    calls.table.add_batch(1, 0);
  }
  CHECK(calls.table.bytes_held() <= CallTable::bytes_held_max());
  CHECK(CallTable::bytes_held_max() <= 256 * 1024);
  check_counts(calls, 4 * CallTable::ids_max + 1, CallTable::subscriptions_max + 10);

  for (std::size_t i = 0; i < 2 * CallTable::ids_max; ++i) {
    CHECK(calls.result(std::to_string(i), "1") == one_call);
    CHECK(calls.hear("[]") == (i < CallTable::batches_max ? one_call : nothing));
  }
  // One call of id 1 is left: it was in flight twice.
  CHECK(calls.result("1", "1") == one_call);
  CHECK(calls.table.untracked() == 0);
  for (std::size_t i = 0; i < CallTable::subscriptions_max + 10; ++i) {
    CHECK(calls.last(std::to_string(i)) == (i < CallTable::subscriptions_max ? one_subscription : nothing));
  }
  check_counts(calls, CallTable::batches_max, 10);
  CHECK(calls.table.bytes_held() <= CallTable::bytes_idle_max);
  CHECK(sizeof(CallTable) <= 104);
}

TEST_CASE("a burst's memory is given back while a call stays in flight") {
  Calls calls;
  calls.send("0", "system_health");
  for (int i = 1; i < 4000; ++i) calls.send(std::to_string(i), "system_health");
  for (int i = 3999; i > 0; --i) CHECK(calls.result(std::to_string(i), "1") == one_call);
  CHECK(calls.table.bytes_held() <= 512);
  CHECK(calls.result("0", "1") == one_call);
  CHECK(calls.table.bytes_held() <= CallTable::bytes_idle_max);
  // Once more there is room for as many, and then no longer.
  calls.send("0", "system_health");
  CHECK(calls.table.bytes_held() > 1024);
  CHECK(calls.result("0", "1") == one_call);
  calls.send("0", "system_health");
  CHECK(calls.table.bytes_held() <= CallTable::bytes_idle_max);
  CHECK(calls.result("0", "1") == one_call);
}

}  // namespace
}  // namespace ringwall::session
