#include <ringwall/quota/admission.h>

#include "unit/catch.h"
#include "unit/quota/shard.h"

#include <cstdint>
#include <deque>

namespace ringwall::quota {
namespace {

TEST_CASE("an address has so many open connections, and a place again when one closes") {
  Limits limits = unlimited();
  limits.address.connections_max = 2;
  Shard shard(limits);
  for (int i = 0; i < 2; ++i) CHECK(shard.open(alice).given);
  check_refused(shard.open(alice), Reason::address_connections);
  CHECK(shard.open(bob).given);
  shard.connections.pop_front();
  CHECK(shard.open(alice).given);
  CHECK(shard.admission.counters().refused_for(Reason::address_connections) == 1);
  CHECK(shard.connections.back().client().connections() == 2);
}

TEST_CASE("new connections come at a rate, and one that was refused is not counted to it") {
  Limits limits = unlimited();
  limits.address.new_connections = {2, 3};
  Shard shard(limits);
  for (int i = 0; i < 3; ++i) CHECK(shard.open(alice).given);
  for (int i = 0; i < 5; ++i) check_refused(shard.open(alice), Reason::address_new_connections, 501);
  check_refused(shard.open(alice, start_ns + 400 * ms_ns), Reason::address_new_connections, 101);
  CHECK(shard.open(alice, start_ns + 501 * ms_ns).given);
  CHECK(shard.connections.back().client().connections() == 4);
}

TEST_CASE("a /64 is one address, and a /48 has limits over all of its own") {
  Limits limits = unlimited();
  limits.address.connections_max = 2;
  limits.network.connections_max = 3;
  Shard shard(limits);
  CHECK(shard.open(ipv6(1, 1, 1)).given);
  CHECK(shard.open(ipv6(1, 1, 2)).given);
  check_refused(shard.open(ipv6(1, 1, 3)), Reason::address_connections);
  CHECK(shard.open(ipv6(1, 2)).given);
  check_refused(shard.open(ipv6(1, 3)), Reason::network_connections);
  CHECK(shard.open(ipv6(2, 1)).given);
  CHECK(shard.open(alice).given);
  // The refused one left no place taken.
  shard.connections.pop_front();
  CHECK(shard.open(ipv6(1, 3)).given);
}

TEST_CASE("a network's new connections are limited too, and its refusal gives back what the address gave") {
  Limits limits = unlimited();
  limits.address.new_connections = {1, 1};
  limits.network.new_connections = {1, 2};
  Shard shard(limits);
  CHECK(shard.open(ipv6(1, 1)).given);
  CHECK(shard.open(ipv6(1, 2)).given);
  check_refused(shard.open(ipv6(1, 3)), Reason::network_new_connections, 1'001);
  const std::uint64_t later_ns = start_ns + 1'001 * ms_ns;
  CHECK(shard.open(ipv6(1, 3), later_ns).given);
  CHECK(shard.accounts.networks.connections() == 3);
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

TEST_CASE("who finds no room in the table is limited with all others who find none, and counted") {
  Limits limits = unlimited();
  limits.address.units = {1, 100};
  limits.address.connections_max = 3;
  Shard shard(limits, {.address_entries = table_entries_min, .network_entries = table_entries_min});
  std::deque<Client> held;
  for (unsigned i = 0; i < 16 * table_entries_min; ++i) {
    held.push_back(
        shard.admission.client(ipv4(static_cast<std::uint8_t>(i), static_cast<std::uint8_t>(i >> 8)), start_ns));
  }
  CHECK(shard.admission.counters().overflow_clients == 15 * table_entries_min);
  for (int i = 0; i < 3; ++i) CHECK(shard.open(ipv6(1, static_cast<std::uint8_t>(i))).given);
  check_refused(shard.open(ipv6(2, 9)), Reason::address_connections);
  CHECK(shard.charge(shard.connections[0], 60).given);
  check_refused(shard.charge(shard.connections[1], 60), Reason::address_units, 20'001);
  CHECK_FALSE(shard.connections[0].client().ban(start_ns + second_ns));
}

}  // namespace
}  // namespace ringwall::quota
