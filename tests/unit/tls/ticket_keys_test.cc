#include <ringwall/tls/ticket_keys.h>

#include <array>
#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "peer.h"
#include "unit/catch.h"

namespace ringwall::tls {
namespace {

using test::as_bytes;

std::unique_ptr<TicketKeys> keys_for(TicketTimes times) {
  auto made = TicketKeys::create(times, 0);
  REQUIRE(made);
  return std::move(*made);
}

struct Ticket {
  std::string text = "the session's secrets";
  TicketHeader header;
  std::span<std::byte> bytes() { return std::as_writable_bytes(std::span(text)); }
};

Ticket sealed_by(TicketKeys& keys, std::string_view name = "a.example") {
  Ticket ticket;
  REQUIRE(keys.seal(ticket.bytes(), as_bytes(name), ticket.header));
  CHECK(ticket.text != "the session's secrets");
  return ticket;
}

TicketVerdict open(TicketKeys& keys, Ticket ticket, std::string_view name = "a.example") {
  const TicketVerdict verdict = keys.open(ticket.bytes(), as_bytes(name), ticket.header);
  if (verdict != TicketVerdict::refused) CHECK(ticket.text == "the session's secrets");
  return verdict;
}

TEST_CASE("a ticket opens with the key that sealed it, and with nothing changed") {
  const auto keys = keys_for({});
  const Ticket ticket = sealed_by(*keys);
  CHECK(open(*keys, ticket) == TicketVerdict::accepted);
  CHECK(open(*keys, ticket, "b.example") == TicketVerdict::refused);
  CHECK(open(*keys, ticket, "") == TicketVerdict::refused);
  CHECK(open(*keys_for({}), ticket) == TicketVerdict::refused);

  const auto refused_with = [&](auto change) {
    Ticket changed = ticket;
    change(changed);
    return open(*keys, changed) == TicketVerdict::refused;
  };
  for (std::size_t i = 0; i < ticket.text.size(); ++i) CHECK(refused_with([&](Ticket& t) { t.text[i] ^= 1; }));
  for (std::size_t i = 0; i < 16; ++i) CHECK(refused_with([&](Ticket& t) { t.header.key_name[i] ^= std::byte{1}; }));
  for (std::size_t i = 0; i < 16; ++i) CHECK(refused_with([&](Ticket& t) { t.header.nonce[i] ^= std::byte{1}; }));
  for (std::size_t i = 0; i < 32; ++i) CHECK(refused_with([&](Ticket& t) { t.header.tag[i] ^= std::byte{1}; }));
  CHECK(refused_with([](Ticket& t) { t.text.pop_back(); }));
  CHECK(refused_with([](Ticket& t) { t.text.push_back('x'); }));
  CHECK(refused_with([](Ticket& t) { t.text.clear(); }));
}

TEST_CASE("only a key and size that were sealed here are worth a look at the ticket") {
  const auto keys = keys_for({});
  TicketHeader unknown;
  CHECK(!keys->has_sealed(unknown.key_name, 0));
  const Ticket ticket = sealed_by(*keys);
  CHECK(keys->has_sealed(ticket.header.key_name, ticket.text.size()));
  CHECK(!keys->has_sealed(ticket.header.key_name, ticket.text.size() + 1));
  CHECK(!keys->has_sealed(ticket.header.key_name, ticket.text.size() - 1));
  CHECK(!keys->has_sealed(unknown.key_name, ticket.text.size()));
}

TEST_CASE("an old key opens its tickets until the last of them is past its lifetime") {
  const auto keys = keys_for({.lifetime_s = 100, .rotation_s = 40});
  const Ticket ticket = sealed_by(*keys);
  keys->rotate(39);
  CHECK(keys->key_count() == 1);
  CHECK(open(*keys, ticket) == TicketVerdict::accepted);
  keys->rotate(40);
  CHECK(keys->key_count() == 2);
  CHECK(open(*keys, ticket) == TicketVerdict::renewed);
  CHECK(open(*keys, sealed_by(*keys)) == TicketVerdict::accepted);
  keys->rotate(139);
  CHECK(open(*keys, ticket) == TicketVerdict::renewed);
  keys->rotate(140);
  CHECK(open(*keys, ticket) == TicketVerdict::refused);
}

TEST_CASE("the keys stay within their bound however rotate is called") {
  const auto keys = keys_for({.lifetime_s = 600, .rotation_s = 10});
  for (std::int64_t now = 0; now < 5000; now += 7) {
    keys->rotate(now);
    keys->rotate(now);
    CHECK(keys->key_count() <= 62);
  }
  keys->rotate(100'000);
  CHECK(keys->key_count() == 2);
  keys->rotate(99'000);  // a clock that went back changes nothing
  CHECK(keys->key_count() == 2);
}

std::vector<TicketKeyCopy> copies_of(const TicketKeys& keys) {
  std::array<TicketKeyCopy, TicketKeys::keys_max> copies{};
  return {copies.begin(), copies.begin() + static_cast<std::ptrdiff_t>(keys.copy_to(copies))};
}

TEST_CASE("the keys of another process open its tickets as long as they did there, and seal none") {
  const auto first = keys_for({.lifetime_s = 100, .rotation_s = 40});
  const Ticket older = sealed_by(*first);
  first->rotate(40);
  const Ticket newer = sealed_by(*first);
  auto made = TicketKeys::create({.lifetime_s = 100, .rotation_s = 40}, 50);
  REQUIRE(made);
  TicketKeys& second = **made;
  second.adopt(copies_of(*first));
  CHECK(second.key_count() == 3);
  CHECK(second.has_sealed(older.header.key_name, older.text.size()));
  CHECK_FALSE(second.has_sealed(older.header.key_name, older.text.size() + 1));
  CHECK(open(second, older) == TicketVerdict::renewed);
  CHECK(open(second, newer) == TicketVerdict::renewed);
  const Ticket own = sealed_by(second);
  CHECK(open(second, own) == TicketVerdict::accepted);
  CHECK(open(*first, own) == TicketVerdict::refused);
  second.rotate(140);
  CHECK(open(second, older) == TicketVerdict::refused);
  CHECK(open(second, newer) == TicketVerdict::renewed);
  second.rotate(150);
  CHECK(open(second, newer) == TicketVerdict::refused);
}

TEST_CASE("keys of others are taken as far as there is room") {
  const auto keys = keys_for({});
  std::vector<TicketKeyCopy> many(TicketKeys::keys_max, copies_of(*keys).front());
  keys->adopt(many);
  CHECK(keys->key_count() == TicketKeys::keys_max);
  keys->adopt(many);
  CHECK(keys->key_count() == TicketKeys::keys_max);
}

TEST_CASE("no two tickets have the same nonce") {
  const auto keys = keys_for({});
  std::set<std::array<std::byte, 16>> nonces;
  for (int i = 0; i < 1000; ++i) CHECK(nonces.insert(sealed_by(*keys).header.nonce).second);
}

TEST_CASE("times that make no sense are refused with the right ones") {
  for (const TicketTimes times :
       {TicketTimes{.lifetime_s = 0, .rotation_s = 1}, TicketTimes{.lifetime_s = 604801, .rotation_s = 600000},
        TicketTimes{.lifetime_s = 100, .rotation_s = 0}, TicketTimes{.lifetime_s = 3600, .rotation_s = 10}}) {
    const auto made = TicketKeys::create(times, 0);
    REQUIRE(!made);
    CHECK(made.error().message.find("right is") != std::string::npos);
  }
  CHECK(TicketKeys::create({.lifetime_s = 604800, .rotation_s = 604800}, 0));
  CHECK(TicketKeys::create({.lifetime_s = 620, .rotation_s = 10}, 0));
}

TEST_CASE("shards seal, open and rotate at the same time") {
  const auto keys = keys_for({.lifetime_s = 1000, .rotation_s = 20});
  std::vector<std::thread> shards;
  std::atomic<int> good = 0;
  for (int shard = 0; shard < 4; ++shard) {
    shards.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        Ticket ticket;
        if (!keys->seal(ticket.bytes(), {}, ticket.header)) continue;
        keys->rotate(i);
        if (keys->open(ticket.bytes(), {}, ticket.header) != TicketVerdict::refused) ++good;
      }
    });
  }
  for (std::thread& shard : shards) shard.join();
  CHECK(good == 2000);
}

}  // namespace
}  // namespace ringwall::tls
