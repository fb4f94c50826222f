#include <ringwall/quota/table.h>

#include <ringwall/check.h>

#include <algorithm>
#include <bit>

#include "search.h"

namespace ringwall::quota {

Handle& Handle::operator=(Handle&& other) noexcept {
  if (this == &other) return *this;
  release();
  entry_ = std::exchange(other.entry_, nullptr);
  return *this;
}

void Handle::release() {
  Entry* entry = std::exchange(entry_, nullptr);
  if (entry == nullptr || state_of(entry->control_.load(std::memory_order_relaxed)) == State::overflow) return;
  // Release: who finds the entry held by nobody sees all that was written under this handle.
  const std::uint64_t before = entry->control_.fetch_sub(handle_one, std::memory_order_release);
  RINGWALL_CHECK(is_held(before));
}

bool Handle::is_overflow() const {
  return entry_ != nullptr && state_of(entry_->control_.load(std::memory_order_relaxed)) == State::overflow;
}

Table::Table(std::size_t entries) : entry_count_(entries) {
  RINGWALL_CHECK(std::has_single_bit(entries));
  RINGWALL_CHECK(entries >= table_entries_min);
  RINGWALL_CHECK(entries <= table_entries_max);
  entries_ = std::make_unique<Entry[]>(entries);
  overflow_.control_.store(static_cast<std::uint64_t>(State::overflow));
}

Table::~Table() {
  for (const Entry& entry : std::span(entries_.get(), entry_count_)) RINGWALL_CHECK(!is_held(entry.control_.load()));
}

Table::Bucket Table::bucket_of(std::uint64_t key) {
  const std::size_t buckets = entry_count_ / bucket_ways;
  return Bucket(&entries_[(key & (buckets - 1)) * bucket_ways], bucket_ways);
}

Handle Table::take(std::uint64_t key, const PeerTerms& terms, std::uint64_t now_ns) {
  using Step = Search::Step;
  Search search(bucket_of(key), key);
  for (int tries = 0; tries < contended_tries_max; ++tries) {
    Entry* entry = nullptr;
    Step step = search.pin(entry);
    if (step == Step::missing) {
      step = search.claim(entry, terms, now_ns);
      if (step == Step::found) {
        if (search.evicts()) evictions_.fetch_add(1, std::memory_order_relaxed);
        // Half of the tries: who is interrupted between claiming and settling holds up nobody for longer.
        step = search.settle(*entry, tries < contended_tries_max / 2);
      }
    }
    if (step == Step::found) return Handle(entry);
    if (step == Step::full) {
      times_full_.fetch_add(1, std::memory_order_relaxed);
      return overflow();
    }
  }
  times_given_up_.fetch_add(1, std::memory_order_relaxed);
  return overflow();
}

std::size_t Table::count_in_use(const PeerTerms& terms, std::uint64_t now_ns) const {
  const std::span entries(entries_.get(), entry_count_);
  return static_cast<std::size_t>(std::ranges::count_if(entries, [&](const Entry& entry) {
    return is_held(entry.control_.load()) || !entry.has_nothing_left(terms, now_ns);
  }));
}

std::uint64_t Table::connections() const {
  std::uint64_t sum = overflow_.connections();
  for (const Entry& entry : std::span(entries_.get(), entry_count_)) sum += entry.connections();
  return sum;
}

}  // namespace ringwall::quota
