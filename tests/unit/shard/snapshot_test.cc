// What a shard tells of itself, and bans.
#include <ringwall/session/session.h>
#include <ringwall/shard/snapshot.h>

#include "stage.h"

#include <memory>
#include <span>

namespace ringwall::shard {
namespace {

using session::EndReason;
using session::State;
using test::page_request;
using test::second;
using test::Stage;

std::uint64_t in_state(const Snapshot& snapshot, State state) {
  return snapshot.sessions.in_state[static_cast<std::size_t>(state)];
}

std::shared_ptr<const session::AddressSet> stage_clients(unsigned prefix_bits) {
  config::Cidr range{session::address_bytes(sim::address_of("203.0.113.7", 1)), 128};
  range.prefix_bits = static_cast<std::uint8_t>(prefix_bits);
  for (unsigned bit = prefix_bits; bit < 128; ++bit)
    range.address[bit / 8] &= static_cast<std::uint8_t>(~(0x80U >> bit % 8));
  return std::make_shared<const session::AddressSet>(std::span(&range, 1));
}

TEST_CASE("sessions are counted in the state that they are in, and in none when they are gone") {
  Stage stage;
  for (int index = 0; index < 3; ++index) stage.connect(page_request);
  REQUIRE(stage.run_until([&] { return stage.sessions() == 3; }));
  Snapshot snapshot;
  snapshot.take(*stage.shard);
  CHECK(in_state(snapshot, State::head) == 3);
  CHECK(snapshot.opened == 3);
  stage.clients.clear();
  REQUIRE(stage.run_until([&] { return stage.sessions() == 0; }));
  snapshot.take(*stage.shard);
  for (const std::uint64_t count : snapshot.sessions.in_state) CHECK(count == 0);
}

TEST_CASE("a snapshot taken again replaces the one before") {
  Stage stage;
  Snapshot snapshot;
  snapshot.take(*stage.shard);
  snapshot.take(*stage.shard);
  CHECK(snapshot.nodes.size() == 1);
  CHECK(snapshot.backlog.bound == stage.shard->backlog().bytes_max());
  CHECK(snapshot.assembly.bound >= (std::size_t{128} << 20));
  CHECK(snapshot.arena.bound > 0);
}

TEST_CASE("bytes are counted on the side of the clients") {
  Stage stage;
  stage.connect(page_request);
  REQUIRE(stage.run_until([&] { return stage.shard->resources().counters.accepted.sent > 0; }));
  Snapshot snapshot;
  snapshot.take(*stage.shard);
  CHECK(snapshot.connections.accepted.received == page_request.size());
  CHECK(snapshot.connections.connected.received == 0);
  CHECK(snapshot.connections.connected.sent == 0);
}

TEST_CASE("of a loop's time none is lost, and no part of it ever goes back") {
  LoopTime loop;
  loop.advance(100, 1000, 300);
  CHECK(loop.handlers_ns == 100);
  CHECK(loop.kernel_ns == 200);
  CHECK(loop.idle_ns == 800);
  // A handler that was interrupted took longer than the CPU worked for it.
  loop.advance(400, 1100, 350);
  CHECK(loop.handlers_ns == 400);
  CHECK(loop.kernel_ns == 200);
  CHECK(loop.idle_ns == 900);
  // More CPU time than the kernel had: the clocks are read one after the other.
  loop.advance(400, 1110, 400);
  CHECK(loop.kernel_ns == 210);
  CHECK(loop.idle_ns == 900);
  CHECK(loop.handlers_ns + loop.kernel_ns + loop.idle_ns == 400 + 1110);
}

TEST_CASE("a ban ends what is there in pieces, and no other address's") {
  Stage stage;
  for (int index = 0; index < 7; ++index) stage.connect(page_request);
  REQUIRE(stage.run_until([&] { return stage.sessions() == 7; }));
  sim::Peer& other = stage.clients.emplace_back(stage.world);
  other.connect(Stage::address(), sim::address_of("198.51.100.1", 1000));
  other.send(page_request);
  REQUIRE(stage.run_until([&] { return stage.sessions() == 8; }));
  session::Service& service = stage.shard->service();
  const auto banned = stage_clients(120);
  std::size_t next = service.end_banned(*banned, SIZE_MAX, 3);
  CHECK(next == 5);
  next = service.end_banned(*banned, next, 3);
  CHECK(next == 2);
  CHECK(service.end_banned(*banned, next, 3) == 0);
  REQUIRE(stage.run_until([&] { return stage.sessions() == 1; }));
  CHECK(stage.ended(EndReason::banned) == 7);
  CHECK_FALSE(other.has_ended());
}

TEST_CASE("who is banned is reset at accept and counted") {
  Stage stage;
  session::Service& service = stage.shard->service();
  service.guard.set_bans(stage_clients(128));
  sim::Peer& client = stage.connect(page_request);
  REQUIRE(stage.run_until([&] { return service.guard.counters.connections_denied == 1; }));
  stage.run_for(second);
  CHECK((client.error() == ECONNRESET || client.error() == ECONNREFUSED));  // perhaps before it knew of a connection
  CHECK(service.sessions_opened == 0);
}

}  // namespace
}  // namespace ringwall::shard
