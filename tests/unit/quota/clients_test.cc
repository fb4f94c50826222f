// Who a client is: one whom a proxy names, one who is exempt or banned, and limits that are lifted for all.
#include "unit/catch.h"
#include "unit/quota/one_shard.h"

namespace ringwall::quota {
namespace {

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

TEST_CASE("a trusted proxy opens without limit, and its upgrades become connections of those they come from") {
  Limits limits = unlimited();
  limits.address.connections_max = 1;
  Shard shard(limits);
  Admission& admission = shard.admission;
  Connection first, second, third;
  for (Connection* each : {&first, &second, &third}) {
    REQUIRE(admission.open(*each, admission.client(alice, start_ns), start_ns, Admission::Peer::trusted_proxy).given);
  }
  CHECK(first.client().connections() == 3);
  CHECK(admission.pass_on(first, admission.client(bob, start_ns), start_ns).given);
  CHECK(second.client().connections() == 2);
  check_refused(admission.pass_on(second, admission.client(bob, start_ns), start_ns), Reason::address_connections);
  CHECK(second.client().connections() == 2);
  CHECK(first.client().connections() == 1);
  first.close();
  CHECK(admission.pass_on(second, admission.client(bob, start_ns), start_ns).given);
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

TEST_CASE("a ban refuses connections and requests of the address until it ends") {
  Limits limits = unlimited();
  Shard shard(limits);
  Connection& connection = shard.opened(alice);
  REQUIRE(connection.client().ban(start_ns + second_ns));
  check_refused(shard.charge(connection, 1), Reason::banned, 1'000);
  check_refused(shard.open(alice, start_ns + 1), Reason::banned, 1'000);
  CHECK(shard.open(bob).given);
  CHECK(shard.open(alice, start_ns + second_ns).given);
  CHECK(shard.charge(connection, 1, start_ns + second_ns).given);
}

}  // namespace
}  // namespace ringwall::quota
