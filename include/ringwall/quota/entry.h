// entry.h: what is held of one address: one cache line, changed by all shards without locks.
//
// Fields are written only by those who hold a handle (table.h), which pins the entry: a pinned entry is never given to
// another address. An entry is idle when nobody holds it and nothing is owed, open, live or banned: all its fields then
// mean the same as in a new entry, and another address may take it as it is.
#pragma once

#include <atomic>
#include <cstdint>

#include <ringwall/quota/meter.h>
#include <ringwall/quota/pace.h>
#include <ringwall/quota/terms.h>

namespace ringwall::quota {

class alignas(64) Entry {
 public:
  [[nodiscard]] SharedMeter& units() { return units_; }
  [[nodiscard]] SharedMeter& new_connections() { return new_connections_; }

  // False, and nothing added, if there would be more than `max`, or if others changed the count contended_tries_max
  // times meanwhile.
  [[nodiscard]] bool add_connection(std::uint32_t max) { return add(connections_, 1, max); }
  void drop_connection() { drop(connections_, 1); }
  [[nodiscard]] bool add_subscriptions(std::uint32_t count, std::uint32_t max) {
    return add(subscriptions_, count, max);
  }
  void drop_subscriptions(std::uint32_t count) { drop(subscriptions_, count); }

  // The later of two bans holds.
  void ban(std::uint64_t until_ns);
  // 0: not banned.
  [[nodiscard]] WaitNs banned_for(std::uint64_t now_ns) const {
    const std::uint64_t until_ns = ban_until_ns_.load(std::memory_order_relaxed);
    return until_ns > now_ns ? until_ns - now_ns : 0;
  }

  [[nodiscard]] std::uint32_t connections() const { return connections_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint32_t subscriptions() const { return subscriptions_.load(std::memory_order_relaxed); }
  // Nothing owed, open, live or banned.
  [[nodiscard]] bool has_nothing_left(const PeerTerms& terms, std::uint64_t now_ns) const;

 private:
  friend class Handle;
  friend class Search;
  friend class Table;

  [[nodiscard]] static bool add(std::atomic<std::uint32_t>& count, std::uint32_t more, std::uint32_t max);
  static void drop(std::atomic<std::uint32_t>& count, std::uint32_t less);

  std::atomic<std::uint64_t> control_{0};  // whose it is and how many hold it: see search.h
  SharedMeter units_;
  SharedMeter new_connections_;
  std::atomic<std::uint64_t> ban_until_ns_{0};
  std::atomic<std::uint32_t> connections_{0};
  std::atomic<std::uint32_t> subscriptions_{0};
};

static_assert(sizeof(Entry) == 64);

}  // namespace ringwall::quota
