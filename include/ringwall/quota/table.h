// table.h: the entries of all addresses that are here or owe something; one table for all shards.
//
// Fixed in size from the start, 64 bytes an entry, no allocation and no lock after that; nobody waits for another.
// A key has one bucket of bucket_ways entries. Whoever comes gets a handle on the key's entry, or on one that was idle;
// if the bucket has neither, on the overflow entry, which all of them share as if they were one address. So a flood of
// addresses costs the latecomers, never memory and never the limits.
//
// What holds under all threads at once: a key has one entry at a time; an entry that is held, or is not idle, stays its
// key's. "Idle" is judged by the clock of the shard that wants the entry, reuse_after_ns ago: only where another
// shard's clock is further behind can a debt be forgotten, the rate times the difference at most.
//
// Owner: the server, outliving all handles. Any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include <ringwall/quota/entry.h>
#include <ringwall/quota/terms.h>

namespace ringwall::quota {

// Pins an entry, given back with the object. Charges go through it without a look-up. One thread's at a time.
class Handle {
 public:
  Handle() = default;
  Handle(Handle&& other) noexcept : entry_(std::exchange(other.entry_, nullptr)) {}
  Handle& operator=(Handle&& other) noexcept;
  ~Handle() { release(); }

  void release();
  explicit operator bool() const { return entry_ != nullptr; }
  Entry* operator->() const { return entry_; }
  Entry& operator*() const { return *entry_; }
  [[nodiscard]] bool is_overflow() const;

 private:
  friend class Table;
  explicit Handle(Entry* entry) : entry_(entry) {}

  Entry* entry_ = nullptr;
};

class Table {
 public:
  // `entries` is a power of two between table_entries_min and table_entries_max.
  explicit Table(std::size_t entries);
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;
  ~Table();

  // Never empty.
  [[nodiscard]] Handle take(std::uint64_t key, const PeerTerms& terms, std::uint64_t now_ns);

  [[nodiscard]] std::size_t bytes() const { return entry_count_ * sizeof(Entry); }
  // Times that an idle entry went to another address, that a bucket was full, and that a look-up gave up because others
  // were changing the same bucket. The last two got the overflow entry.
  [[nodiscard]] std::uint64_t evictions() const { return evictions_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t times_full() const { return times_full_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t times_given_up() const { return times_given_up_.load(std::memory_order_relaxed); }
  // Looks at every entry: for tests and for an operator's question, not for the data path.
  [[nodiscard]] std::size_t count_in_use(const PeerTerms& terms, std::uint64_t now_ns) const;
  [[nodiscard]] std::uint64_t connections() const;

 private:
  using Bucket = std::span<Entry, bucket_ways>;

  [[nodiscard]] Bucket bucket_of(std::uint64_t key);
  [[nodiscard]] Handle overflow() { return Handle(&overflow_); }

  Entry overflow_;
  const std::size_t entry_count_;
  std::unique_ptr<Entry[]> entries_;
  std::atomic<std::uint64_t> evictions_{0};
  std::atomic<std::uint64_t> times_full_{0};
  std::atomic<std::uint64_t> times_given_up_{0};
};

}  // namespace ringwall::quota
