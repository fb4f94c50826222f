#include <ringwall/upstream/target.h>

#include "name_service.h"
#include "unit/catch.h"

#include <netdb.h>
#include <netinet/in.h>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace ringwall::upstream {
namespace {

using test::set_name;
using test::times_asked;

std::uint16_t port_of(const ring::SocketAddress& address) {
  return ntohs(reinterpret_cast<const sockaddr_in&>(address.storage).sin_port);  // the same place in sockaddr_in6
}

TEST_CASE("an address literal is known as one and found as it stands") {
  for (const auto& [host, family] : {std::pair{"192.0.2.7", AF_INET}, {"2001:db8::7", AF_INET6}, {"::1", AF_INET6}}) {
    INFO(host);
    Target target("node", host, 9944, 0);
    CHECK(target.is_literal());
    CHECK(target.addresses()->empty());
    CHECK(target.resolve() == 0);
    const auto addresses = target.addresses();
    REQUIRE(addresses->size() == 1);
    CHECK(addresses->front().storage.ss_family == family);
    CHECK(port_of(addresses->front()) == 9944);
    CHECK(addresses->front().bytes == (family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6)));
  }
}

TEST_CASE("a name has all its addresses, in the order in which they were given, and only those of the internet") {
  set_name("many.example", {.addresses = {"192.0.2.7", "a socket in a file", "2001:db8::7", "192.0.2.8"}});
  Target target("node", "many.example", 9944, 0);
  CHECK_FALSE(target.is_literal());
  REQUIRE(target.resolve() == 0);
  const auto addresses = target.addresses();
  REQUIRE(addresses->size() == 3);
  CHECK((*addresses)[0].storage.ss_family == AF_INET);
  CHECK((*addresses)[1].storage.ss_family == AF_INET6);
  CHECK(reinterpret_cast<const sockaddr_in&>((*addresses)[2].storage).sin_addr.s_addr == htonl(0xc0000208));
}

TEST_CASE("what is no literal is a name") {
  for (const char* host : {"node.example", "127.1", "[::1]", "127.0.0.1 ", "localhost", "::1%lo", ""}) {
    INFO(host);
    CHECK_FALSE(Target("node", host, 9944, 0).is_literal());
  }
}

TEST_CASE("a name that is not found leaves no address, and its code says why") {
  Target target("node", "nowhere.example", 9944, 0);
  CHECK(target.resolve() == EAI_NONAME);
  CHECK(target.addresses()->empty());
}

TEST_CASE("a look-up that fails keeps the last answer, and the next that does not replaces it") {
  set_name("node.example", {.addresses = {"192.0.2.7"}});
  Target target("node", "node.example", 9944, 0);
  REQUIRE(target.resolve() == 0);
  const auto before = target.addresses();
  for (const int code : {EAI_AGAIN, EAI_NONAME, EAI_FAIL, EAI_SYSTEM}) {
    set_name("node.example", {.code = code});
    CHECK(target.resolve() == code);
    CHECK(target.addresses() == before);
  }
  set_name("node.example", {.addresses = {"192.0.2.8", "192.0.2.9"}});
  CHECK(target.resolve() == 0);
  CHECK(target.addresses()->size() == 2);
  CHECK(before->size() == 1);
}

TEST_CASE("a list that was read stays as it is when a newer one is published") {
  Target target("node", "127.0.0.1", 9944, 0);
  REQUIRE(target.resolve() == 0);
  const auto first = target.addresses();
  REQUIRE(target.resolve() == 0);
  CHECK(target.addresses() != first);
  CHECK(first->size() == 1);
}

TEST_CASE("places among a node's connections are given up to its cap") {
  Target target("node", "127.0.0.1", 9944, 2);
  CHECK(target.take_place());
  CHECK(target.take_place());
  CHECK_FALSE(target.take_place());
  CHECK_FALSE(target.take_place());
  target.give_back_place();
  CHECK(target.take_place());
  CHECK_FALSE(target.take_place());
}

TEST_CASE("without a cap there is always a place") {
  Target target("node", "127.0.0.1", 9944, 0);
  for (int index = 0; index < 1000; ++index) CHECK(target.take_place());
}

TEST_CASE("shards that ask for places at the same time never get more than the cap") {
  constexpr std::uint32_t cap = 8;
  Target target("node", "127.0.0.1", 9944, cap);
  std::atomic<std::uint32_t> held = 0;
  std::atomic<std::uint32_t> most = 0;
  std::atomic<std::uint32_t> given = 0;
  const auto shard = [&] {
    for (int round = 0; round < 20'000; ++round) {
      if (!target.take_place()) continue;
      given.fetch_add(1);
      const std::uint32_t now = held.fetch_add(1) + 1;
      for (std::uint32_t seen = most.load(); seen < now && !most.compare_exchange_weak(seen, now);) {
      }
      held.fetch_sub(1);
      target.give_back_place();
    }
  };
  {
    std::vector<std::jthread> shards;
    for (int index = 0; index < 12; ++index) shards.emplace_back(shard);
  }
  CHECK(most.load() <= cap);
  CHECK(given.load() > 0);
  for (std::uint32_t place = 0; place < cap; ++place) CHECK(target.take_place());
  CHECK_FALSE(target.take_place());
}

TEST_CASE("a resolver has looked up every name once before it is made") {
  set_name("two.example", {.addresses = {"192.0.2.2"}});
  Target literal("one", "192.0.2.7", 1, 0);
  Target name("two", "two.example", 2, 0);
  Target unknown("three", "three.example", 3, 0);
  const Resolver resolver({{&literal, 30}, {&name, 30}, {&unknown, 30}});
  CHECK(literal.addresses()->size() == 1);
  REQUIRE(name.addresses()->size() == 1);
  CHECK(port_of(name.addresses()->front()) == 2);
  CHECK(unknown.addresses()->empty());
}

TEST_CASE("a name that DNS is silent about costs no other its answer, the start little, and the end nothing") {
  using Clock = std::chrono::steady_clock;
  set_name("silent.example", {.code = EAI_AGAIN, .silence_ms = 4000});
  set_name("late.example", {.addresses = {"192.0.2.4"}, .silence_ms = 500});
  set_name("prompt.example", {.addresses = {"192.0.2.5"}});
  // The silent one's thread ends after this test, but touches no target then.
  Target silent("one", "silent.example", 1, 0), late("two", "late.example", 2, 0),
      prompt("three", "prompt.example", 3, 0);
  const Clock::time_point start = Clock::now();
  {
    const Resolver resolver({{&silent, 30}, {&late, 30}, {&prompt, 30}}, 100);
    CHECK(Clock::now() - start < std::chrono::milliseconds(2000));
    CHECK(prompt.addresses()->size() == 1);
    CHECK(silent.addresses()->empty());
    while (late.addresses()->empty() && Clock::now() - start < std::chrono::seconds(3)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    CHECK(late.addresses()->size() == 1);
  }
  CHECK(Clock::now() - start < std::chrono::milliseconds(3900));
}

TEST_CASE("a resolver looks names up again when they are due, literals never, and ends at once") {
  using Clock = std::chrono::steady_clock;
  set_name("often.example", {.addresses = {"192.0.2.2"}});
  set_name("seldom.example", {.addresses = {"192.0.2.2"}});
  Target literal("one", "192.0.2.77", 1, 0);
  Target often("two", "often.example", 2, 0);
  Target seldom("three", "seldom.example", 3, 0);
  Clock::time_point ending;
  {
    const Resolver resolver({{&literal, 1}, {&often, 1}, {&seldom, 3600}});
    set_name("often.example", {.addresses = {"192.0.2.2", "192.0.2.3"}});
    const Clock::time_point deadline = Clock::now() + std::chrono::seconds(20);
    while (often.addresses()->size() != 2 && Clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    CHECK(often.addresses()->size() == 2);
    CHECK(times_asked("seldom.example") == 1);
    CHECK(times_asked("192.0.2.77") == 1);
    ending = Clock::now();
  }
  CHECK(Clock::now() - ending < std::chrono::milliseconds(900));
}

}  // namespace
}  // namespace ringwall::upstream
