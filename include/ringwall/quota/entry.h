// entry.h: what is held of one address: one cache line, changed by all shards without locks.
//
// Fields are written only by those who hold a handle (table.h), which pins the entry: a pinned entry is never given to
// another address. An entry is idle when nobody holds it and nothing is owed, open, live or banned: all its fields then
// mean the same as in a new entry, and another address may take it as it is.
//
// A refusal changes nothing. A word that others changed contended_tries_max times meanwhile counts as refused, to be
// tried again in a millisecond.
#pragma once

#include <atomic>
#include <cstdint>

#include <ringwall/quota/pace.h>
#include <ringwall/quota/terms.h>

namespace ringwall::quota {

class alignas(64) Entry {
 public:
  // Cost units. Given, or when to come again.
  [[nodiscard]] WaitNs charge(const Pace& pace, std::uint64_t units, std::uint64_t now_ns) {
    return charge(units_, pace, units, now_ns);
  }
  void owe(const Pace& pace, std::uint64_t units, std::uint64_t now_ns);
  // Of a charge of this turn. Between the two, another shard's clock may have passed the meter: that much is lost, the
  // rate times that while at most.
  void give_back(std::uint64_t units) { units_.fetch_sub(units * Pace::parts_per_unit, std::memory_order_relaxed); }

  [[nodiscard]] WaitNs charge_new_connection(const Pace& pace, std::uint64_t now_ns) {
    return charge(new_connections_, pace, 1, now_ns);
  }
  void give_back_new_connection() { new_connections_.fetch_sub(Pace::parts_per_unit, std::memory_order_relaxed); }

  // False, and nothing added, if there would be more than `max`.
  [[nodiscard]] bool add_connection(std::uint32_t max) { return add(connections_, 1, max); }
  void drop_connection() { drop(connections_, 1); }
  [[nodiscard]] bool add_subscriptions(std::uint32_t count, std::uint32_t max) {
    return add(subscriptions_, count, max);
  }
  void drop_subscriptions(std::uint32_t count) { drop(subscriptions_, count); }

  // The later of two bans holds.
  void ban(std::uint64_t until_ns);
  [[nodiscard]] bool is_banned(std::uint64_t now_ns) const {
    return ban_until_ns_.load(std::memory_order_relaxed) > now_ns;
  }

  [[nodiscard]] std::uint32_t connections() const { return connections_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint32_t subscriptions() const { return subscriptions_.load(std::memory_order_relaxed); }
  [[nodiscard]] bool has_nothing_left(const PeerTerms& terms, std::uint64_t now_ns) const;

 private:
  friend class Table;
  friend class Handle;

  [[nodiscard]] static WaitNs charge(std::atomic<std::uint64_t>& meter, const Pace& pace, std::uint64_t units,
                                     std::uint64_t now_ns);
  [[nodiscard]] static bool add(std::atomic<std::uint32_t>& count, std::uint32_t more, std::uint32_t max);
  static void drop(std::atomic<std::uint32_t>& count, std::uint32_t less);

  std::atomic<std::uint64_t> control_{0};  // whose it is and how many hold it: see table.cc
  std::atomic<std::uint64_t> units_{0};
  std::atomic<std::uint64_t> new_connections_{0};
  std::atomic<std::uint64_t> ban_until_ns_{0};
  std::atomic<std::uint32_t> connections_{0};
  std::atomic<std::uint32_t> subscriptions_{0};
};

static_assert(sizeof(Entry) == 64);
static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace ringwall::quota
