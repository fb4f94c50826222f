#include <ringwall/quota/admission.h>

#include "unit/catch.h"
#include "unit/quota/shard.h"
#include "unit/ring/death.h"

#include <cstdint>
#include <set>
#include <string_view>

namespace ringwall::quota {
namespace {

TEST_CASE("each reason has a name of its own") {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < reasons; ++i) names.insert(to_text(static_cast<Reason>(i)));
  CHECK(names.size() == reasons);
}

TEST_CASE("five tabs that start at once behind one address get all their calls under the default limits") {
  Shard shard{Limits{}};
  for (int tab = 0; tab < 5; ++tab) {
    Connection& connection = shard.opened(alice);
    for (int call = 0; call < 100; ++call) {
      const Request request{.units = call % 10 == 0 ? 20U : 5U, .subscriptions = call % 20 == 0 ? 1U : 0U};
      REQUIRE(shard.admission.charge(connection, request, start_ns).given);
    }
  }
}

TEST_CASE("one that floods is held to its rate, and another address feels nothing") {
  Limits limits;
  Shard shard(limits);
  Connection& flood = shard.opened(alice);
  Connection& other = shard.opened(bob);
  std::uint64_t units = 0;
  for (std::uint64_t ms = 0; ms < 20'000; ++ms) {
    for (int i = 0; i < 10; ++i) units += shard.charge(flood, 5, start_ns + ms * ms_ns).given ? 5 : 0;
    if (ms % 100 == 0) REQUIRE(shard.charge(other, 20, start_ns + ms * ms_ns).given);
  }
  CHECK(units <= 5'000 + 20 * 500);
  CHECK(units >= 5'000 + 20 * 500 - 20);
  CHECK(shard.admission.counters().refused_for(Reason::connection_units) == 200'000 - units / 5);
  CHECK(shard.admission.is_to_be_closed(flood));
  CHECK_FALSE(shard.admission.is_to_be_closed(other));
}

TEST_CASE("the connection's, the address's, the network's and the machine's rate each refuse the first unit too much") {
  const auto refuser = [](auto set) {
    Limits limits = unlimited();
    set(limits);
    Shard shard(limits);
    Connection& connection = shard.opened(ipv6(1, 1));
    CHECK(shard.charge(connection, 60).given);
    CHECK(shard.charge(connection, 40).given);
    const Decision decision = shard.charge(connection, 1);
    CHECK_FALSE(decision.given);
    CHECK(decision.retry_after_ms >= 100);
    CHECK(decision.retry_after_ms <= 101);
    CHECK(shard.charge(connection, 1, start_ns + decision.retry_after_ms * ms_ns).given);
    CHECK(shard.admission.counters().refused_for(decision.reason) == 1);
    check_refused(shard.charge(connection, 101, start_ns + 99 * second_ns), Reason::request_units);
    CHECK(shard.admission.counters().units_given == 101);
    return decision.reason;
  };
  CHECK(refuser([](Limits& limits) { limits.connection.units = {10, 100}; }) == Reason::connection_units);
  CHECK(refuser([](Limits& limits) { limits.address.units = {10, 100}; }) == Reason::address_units);
  CHECK(refuser([](Limits& limits) { limits.network.units = {10, 100}; }) == Reason::network_units);
  CHECK(refuser([](Limits& limits) { limits.machine_units = {10, 100}; }) == Reason::machine_units);
}

TEST_CASE("what a refused request took is given back by all who gave before") {
  Limits limits = unlimited();
  limits.connection.units = {1, 100};
  limits.address.units = {1, 100};
  limits.network.units = {1, 100};
  limits.address.subscriptions_max = 10;
  limits.machine_units = {1'000, 50};
  Shard shard(limits);
  Connection& connection = shard.opened(ipv6(1, 1));
  Connection& other = shard.opened(ipv6(2, 1));
  REQUIRE(shard.charge(other, 50).given);
  for (int i = 0; i < 20; ++i) {
    const Decision decision = shard.admission.charge(connection, {.units = 30, .subscriptions = 1}, start_ns);
    CHECK(decision.reason == Reason::machine_units);
  }
  CHECK(connection.subscriptions() == 0);
  CHECK(connection.client().subscriptions() == 0);
  CHECK(connection.calls_in_flight() == 0);
  // All of their hundred is still there, from the machine's fifty a time.
  CHECK(shard.charge(connection, 50, start_ns + 51 * ms_ns).given);
  CHECK(shard.charge(connection, 50, start_ns + 102 * ms_ns).given);
  check_refused(shard.charge(connection, 1, start_ns + 153 * ms_ns), Reason::connection_units, 899);
}

TEST_CASE("what an address gave is given back when its network refuses") {
  Limits limits = unlimited();
  limits.address.units = {1, 100};
  limits.network.units = {1'000, 60};
  Shard shard(limits);
  Connection& connection = shard.opened(ipv6(1, 1));
  REQUIRE(shard.charge(connection, 50).given);
  for (int i = 0; i < 20; ++i) check_refused(shard.charge(connection, 50), Reason::network_units, 41);
  CHECK(shard.charge(connection, 50, start_ns + 41 * ms_ns).given);
  CHECK(shard.charge(connection, 1, start_ns + 50 * ms_ns).reason == Reason::address_units);
}

TEST_CASE("connections of one address share its rate, also over shards") {
  Limits limits = unlimited();
  limits.address.units = {10, 100};
  Shard shard(limits);
  Admission second(shard.accounts, shard.admission.terms());
  Connection& first = shard.opened(alice);
  Connection other;
  REQUIRE(second.open(other, second.client(alice, start_ns), start_ns).given);
  CHECK(shard.charge(first, 60).given);
  CHECK(second.charge(other, {.units = 40}, start_ns).given);
  CHECK_FALSE(second.charge(other, {.units = 1}, start_ns).given);
  CHECK_FALSE(shard.charge(first, 1).given);
}

TEST_CASE("a batch has so many calls, and one of more is not to be tried again") {
  Limits limits = unlimited();
  limits.connection.batch_calls_max = 10;
  Shard shard(limits);
  Connection& connection = shard.opened(alice);
  CHECK(shard.admission.charge(connection, {.units = 10, .calls = 10, .answers = 10}, start_ns).given);
  check_refused(shard.admission.charge(connection, {.calls = 11, .answers = 11}, start_ns), Reason::batch_calls);
  check_refused(shard.admission.charge(connection.client(), {.calls = 11}, start_ns), Reason::batch_calls);
  CHECK(connection.calls_in_flight() == 10);
  CHECK(shard.admission.counters().calls_given == 10);
}

TEST_CASE("calls in flight reach their bound, and an answer makes room; notifications are never in flight") {
  Limits limits = unlimited();
  limits.connection.calls_in_flight_max = 3;
  Shard shard(limits);
  Connection& connection = shard.opened(alice);
  CHECK(shard.admission.charge(connection, {.calls = 4, .answers = 2}, start_ns).given);
  check_refused(shard.admission.charge(connection, {.calls = 2, .answers = 2}, start_ns), Reason::calls_in_flight);
  CHECK(shard.admission.charge(connection, {}, start_ns).given);
  check_refused(shard.admission.charge(connection, {}, start_ns), Reason::calls_in_flight);
  CHECK(shard.admission.charge(connection, {.answers = 0}, start_ns).given);
  shard.admission.answered(connection, 2);
  CHECK(shard.admission.charge(connection, {.calls = 2, .answers = 2}, start_ns).given);
}

TEST_CASE("subscriptions count from the request to their end, on the connection, the address and the network") {
  Limits limits = unlimited();
  limits.connection.subscriptions_max = 3;
  limits.address.subscriptions_max = 5;
  limits.network.subscriptions_max = 6;
  Shard shard(limits);
  const auto subscribe = [&](Connection& connection, std::uint32_t count) {
    return shard.admission.charge(connection, {.calls = count, .subscriptions = count}, start_ns);
  };
  Connection& first = shard.opened(ipv6(1, 1));
  CHECK(subscribe(first, 3).given);
  check_refused(subscribe(first, 1), Reason::connection_subscriptions);
  Connection& second = shard.opened(ipv6(1, 1));
  CHECK(subscribe(second, 2).given);
  check_refused(subscribe(second, 1), Reason::address_subscriptions);
  Connection& neighbour = shard.opened(ipv6(1, 2));
  check_refused(subscribe(neighbour, 2), Reason::network_subscriptions);
  CHECK(neighbour.client().subscriptions() == 0);
  CHECK(subscribe(neighbour, 1).given);
  shard.admission.unsubscribed(first, 1);
  CHECK(subscribe(second, 1).given);
  CHECK(first.client().subscriptions() == 5);
  first.close();
  CHECK(second.client().subscriptions() == 3);
  CHECK(subscribe(neighbour, 2).given);
}

TEST_CASE("so many refused requests, and the connection is to be closed") {
  Limits limits = unlimited();
  limits.connection.units = {1, 1};
  limits.connection.close_after = 3;
  Shard shard(limits);
  Connection& connection = shard.opened(alice);
  REQUIRE(shard.charge(connection, 1).given);
  for (int i = 0; i < 2; ++i) CHECK_FALSE(shard.charge(connection, 1).given);
  CHECK_FALSE(shard.admission.is_to_be_closed(connection));
  CHECK_FALSE(shard.charge(connection, 1).given);
  CHECK(shard.admission.is_to_be_closed(connection));
}

TEST_CASE("a request of another client is charged to that one, not to the connection or its address") {
  Limits limits = unlimited();
  limits.address.units = {10, 100};
  limits.connection.units = {10, 50};
  Shard shard(limits);
  Connection& proxy = shard.opened(alice);
  {
    Client client = shard.admission.client(bob, start_ns);
    CHECK(shard.admission.charge(client, {.units = 100}, start_ns).given);
    CHECK_FALSE(shard.admission.charge(client, {.units = 1}, start_ns).given);
  }
  CHECK(shard.charge(proxy, 50).given);
  Client again = shard.admission.client(bob, start_ns);
  check_refused(shard.admission.charge(again, {.units = 1}, start_ns), Reason::address_units, 101);
  CHECK(again.connections() == 0);
}

TEST_CASE("who is exempt is counted and never refused, and uses up nothing of others") {
  Limits limits;
  limits.exempt.push_back({.address = alice, .prefix_bits = 128});
  limits.machine_units = {1, 100};
  limits.address = {.units = {1, 1}, .new_connections = {1, 1}, .connections_max = 1, .subscriptions_max = 1};
  Shard shard(limits);
  for (int i = 0; i < 3; ++i) REQUIRE(shard.open(alice).given);
  Connection& connection = shard.connections.back();
  CHECK(connection.client().is_exempt());
  CHECK(shard.admission.charge(connection, {.units = 9'000, .calls = 900, .subscriptions = 9}, start_ns).given);
  CHECK(shard.admission.charge(connection.client(), {.units = 1'000, .calls = 200}, start_ns).given);
  shard.admission.owe(connection, 5'000, start_ns);
  CHECK(connection.client().subscriptions() == 9);
  CHECK(connection.client().connections() == 3);
  CHECK(shard.admission.counters().units_exempt == 10'000);
  CHECK(shard.charge(shard.opened(bob), 1).given);
}

TEST_CASE("limits that are lifted refuse nothing and count all") {
  Shard shard(lifted(Limits{}));
  for (int i = 0; i < 200; ++i) REQUIRE(shard.open(ipv6(1, 1)).given);
  Connection& connection = shard.connections.back();
  for (int i = 0; i < 1'000; ++i) {
    REQUIRE(shard.admission
                .charge(connection, {.units = 1'000'000, .calls = 500, .answers = 500, .subscriptions = 9}, start_ns)
                .given);
  }
  CHECK(connection.client().connections() == 200);
  CHECK(connection.subscriptions() == 9'000);
  CHECK(connection.calls_in_flight() == 500'000);
  CHECK(shard.admission.counters().units_given == 1'000'000'000);
}

TEST_CASE("what an answer cost is owed by all, past the burst, and the next request waits for it") {
  Limits limits = unlimited();
  limits.address.units = {100, 10};
  Shard shard(limits);
  Connection& connection = shard.opened(alice);
  shard.admission.owe(connection, 50, start_ns);
  check_refused(shard.charge(connection, 1), Reason::address_units, 411);
  CHECK(shard.admission.counters().units_owed == 50);
}

TEST_CASE("new rates keep debts, new counts hold from the next request on") {
  Limits limits = unlimited();
  limits.address.units = {10, 100};
  limits.connection.units = {10, 100};
  limits.machine_units = {10, 100};
  Shard shard(limits);
  Connection& connection = shard.opened(alice);
  REQUIRE(shard.charge(connection, 100).given);
  limits.address.units = {1'000, 100};
  limits.connection.units = {};
  limits.machine_units = {};
  limits.address.connections_max = 1;
  shard.admission.adopt(next_terms(shard.admission.terms(), limits, start_ns + second_ns));
  // 10 of the 100 were paid back by then: 90 are owed, at 1,000 a second.
  check_refused(shard.charge(connection, 20, start_ns + second_ns), Reason::address_units, 11);
  CHECK(shard.charge(connection, 100, start_ns + second_ns + 91 * ms_ns).given);
  check_refused(shard.open(alice, start_ns + second_ns), Reason::address_connections);
}

TEST_CASE("answers and ends of more than there were are our own mistake: they abort") {
  Shard shard(unlimited());
  Connection& connection = shard.opened(alice);
  REQUIRE(aborts([&] { shard.admission.answered(connection, 1); }));
  REQUIRE(aborts([&] { shard.admission.unsubscribed(connection, 1); }));
  Connection closed;
  REQUIRE(aborts([&] { (void)shard.charge(closed, 1); }));
}

}  // namespace
}  // namespace ringwall::quota
