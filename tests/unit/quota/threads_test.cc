// Many threads on few buckets of a table. Run under ThreadSanitizer too (tools/test tsan).
//
// Where the clock moves in steps that all threads take together, nothing may be passed by a single unit.
#include <ringwall/quota/table.h>

#include "unit/catch.h"
#include "unit/quota/fixture.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <barrier>
#include <random>
#include <set>
#include <thread>
#include <vector>

namespace ringwall::quota {
namespace {

constexpr unsigned threads = 4;

template <typename Act>
void in_threads(Act act) {
  std::vector<std::thread> running;
  for (unsigned i = 0; i < threads; ++i) running.emplace_back(act, i);
  for (std::thread& thread : running) thread.join();
}

PeerTerms terms_of(Rate units) {
  return {.units = Pace(units, start_ns),
          .new_connections = Pace({1'000, 1'000}, start_ns),
          .connections_max = 3,
          .subscriptions_max = 7};
}

// What the threads were given under one key, or in the overflow entry.
struct Given {
  std::atomic<std::uint64_t> units{0};
  std::atomic<std::uint32_t> connections{0};  // at most those of the entry: counted after it, given back before it
  std::atomic<std::uint32_t> connections_most{0};

  void connect() {
    const std::uint32_t now = connections.fetch_add(1) + 1;
    std::uint32_t most = connections_most.load();
    while (most < now && !connections_most.compare_exchange_weak(most, now)) {
    }
  }
};

TEST_CASE("threads that bring the same key at the same time all get the same entry") {
  constexpr unsigned rounds = 10'000;
  const PeerTerms terms = terms_of({1, 1});
  Table table(table_entries_min);
  std::array<std::array<const Entry*, threads>, 2> seen{};  // of the last round, by key
  unsigned split = 0, overflows = 0, round = 0;
  std::barrier taken(threads, [&]() noexcept {
    for (const auto& entries : seen) {
      std::set<const Entry*> distinct(entries.begin(), entries.end());
      overflows += static_cast<unsigned>(distinct.erase(nullptr));
      split += distinct.size() > 1 ? 1 : 0;
    }
    ++round;
  });
  std::barrier released(threads);
  in_threads([&](unsigned thread) {
    for (unsigned i = 0; i < rounds; ++i) {
      // Two keys a round in one bucket, in either order. All entries but a few are taken from keys of rounds before.
      std::array<Handle, 2> handles;
      for (unsigned k = 0; k < 2; ++k) {
        const unsigned key = (k + thread) % 2;
        handles[key] = table.take(key_of(1 + 2 * i + key), terms, start_ns + i * second_ns);
        seen[key][thread] = handles[key].is_overflow() ? nullptr : &*handles[key];
      }
      taken.arrive_and_wait();
      for (Handle& handle : handles) handle.release();
      released.arrive_and_wait();
    }
  });
  CHECK(round == rounds);
  CHECK(split == 0);
  CHECK(table.times_full() == 0);
  CHECK(overflows <= table.times_given_up());
  CHECK(table.evictions() > rounds);
  CHECK(table.count_in_use(terms, start_ns + rounds * second_ns) == 0);
}

TEST_CASE("while time stands still each key is given its burst, every unit of it and not one more") {
  constexpr std::uint64_t burst = 20'000, keys = bucket_ways - 3;
  const PeerTerms terms = terms_of({1, burst});
  Table table(table_entries_min);
  std::array<Given, keys> given_to;
  std::atomic<std::uint64_t> passers_by{0};
  in_threads([&](unsigned thread) {
    std::mt19937_64 random(thread);
    std::array<bool, keys> spent{};
    for (std::uint64_t left = keys; left > 0;) {
      const std::uint64_t key = random() % keys;
      if (!spent[key]) {
        const Handle handle = table.take(key_of(1 + key), terms, start_ns);
        if (handle.is_overflow()) continue;
        const WaitNs wait = handle->units().charge(terms.units, 1, start_ns);
        given_to[key].units += wait == given ? 1 : 0;
        if (wait > 10 * ms_ns) {
          spent[key] = true;
          --left;
        }
      }
      // One who owes nothing wants an entry of the same bucket, and takes it from another such one.
      if (!table.take(key_of(1'000 + random() % 50), terms, start_ns + reuse_after_ns).is_overflow()) ++passers_by;
    }
  });
  for (const Given& each : given_to) CHECK(each.units == burst);
  CHECK(passers_by > 1'000);
  CHECK(table.evictions() > 100);
}

// Threads take, charge, connect and leave at random, with more keys than two buckets have entries.
struct Crowd {
  static constexpr std::uint64_t keys = 3 * bucket_ways;

  explicit Crowd(Rate rate) : terms(terms_of(rate)) {}

  void act(std::mt19937_64& random, std::uint64_t now_ns) {
    const std::uint64_t key = random() % keys;
    const Handle handle = table.take(key_of(1 + key, key % 2), terms, now_ns);
    Given& to = handle.is_overflow() ? overflow : given_to[key];
    const bool connected = random() % 2 == 0 && handle->add_connection(terms.connections_max);
    if (connected) to.connect();
    const bool subscribed = connected && handle->add_subscriptions(2, terms.subscriptions_max);
    for (std::uint64_t calls = random() % 4; calls > 0; --calls) {
      const std::uint64_t cost = 1 + random() % 20;
      const WaitNs wait = handle->units().charge(terms.units, cost, now_ns);
      if (wait != given) continue;
      if (random() % 8 == 0) {
        handle->units().give_back(cost);
      } else {
        to.units += cost;
      }
    }
    if (subscribed) handle->drop_subscriptions(2);
    if (!connected) return;
    --to.connections;
    handle->drop_connection();
  }

  void check_at(std::uint64_t end_ns) const {
    const std::uint64_t earned = (end_ns - start_ns) / ms_ns * terms.units.per_second() / 1'000 + 1;
    std::uint64_t all = 0;
    const auto check = [&](const Given& to) {
      CHECK(to.units <= terms.units.burst() + earned);
      CHECK(to.connections_most <= terms.connections_max);
      CHECK(to.connections == 0);
      all += to.units;
    };
    for (const Given& to : given_to) check(to);
    check(overflow);
    CHECK(all > keys * earned / 4);
    CHECK(table.connections() == 0);
    CHECK(table.count_in_use(terms, end_ns + 1'000 * second_ns) == 0);
    CHECK(table.evictions() > 0);
    CHECK(table.times_full() > 0);
  }

  PeerTerms terms;
  Table table{table_entries_min};
  std::array<Given, keys> given_to;
  Given overflow;
};

TEST_CASE("with more addresses than entries no key passes its rate or its places, and all counts end at none") {
  constexpr unsigned phases = 500;
  Crowd crowd({100, 50});
  std::uint64_t now_ns = start_ns;
  std::barrier phase(threads, [&]() noexcept { now_ns += 100 * ms_ns; });
  in_threads([&](unsigned thread) {
    std::mt19937_64 random(thread);
    for (unsigned i = 0; i < phases; ++i) {
      for (int k = 0; k < 100; ++k) crowd.act(random, now_ns);
      phase.arrive_and_wait();
    }
  });
  crowd.check_at(now_ns);
}

TEST_CASE("the same holds with a clock that goes on while threads act, each a little late") {
  constexpr std::uint64_t step_ns = 100'000;
  Crowd crowd({1'000, 50});
  std::atomic<std::uint64_t> clock_ns{start_ns};
  in_threads([&](unsigned thread) {
    std::mt19937_64 random(thread);
    for (int i = 0; i < 50'000; ++i) {
      const std::uint64_t late_ns = random() % (10 * ms_ns);
      crowd.act(random, std::max(start_ns, clock_ns.fetch_add(step_ns) - late_ns));
    }
  });
  // What is given back late is the one slack here: ten milliseconds' worth each time, at most.
  crowd.check_at(clock_ns + 500 * ms_ns);
}

}  // namespace
}  // namespace ringwall::quota
