#include <ringwall/quota/table.h>

#include <ringwall/check.h>

#include <algorithm>
#include <bit>

#include "search.h"

namespace ringwall::quota {
namespace {

// What comes after Search::pin() found nothing.
Search::Step make_entry(Search& search, const PeerTerms& terms, std::uint64_t now_ns, bool patient,
                        std::atomic<std::uint64_t>& evictions) {
  Search::Step step = search.choose(terms, now_ns, patient);
  if (step != Search::Step::found) return step;
  const bool evicts = search.evicts();
  step = search.claim();
  if (step != Search::Step::found) return step;
  if (evicts) evictions.fetch_add(1, std::memory_order_relaxed);
  return search.settle(patient);
}

}  // namespace

Handle& Handle::operator=(Handle&& other) noexcept {
  if (this == &other) return *this;
  release();
  entry_ = std::exchange(other.entry_, nullptr);
  return *this;
}

void Handle::release() {
  Entry* entry = std::exchange(entry_, nullptr);
  if (entry != nullptr) Search::unpin(*entry);
}

bool Handle::is_overflow() const { return entry_ != nullptr && Search::is_overflow(*entry_); }

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
    Step step = search.pin();
    // Who is interrupted between claiming and settling holds up nobody for longer than half of the tries.
    if (step == Step::missing) step = make_entry(search, terms, now_ns, tries < contended_tries_max / 2, evictions_);
    if (step == Step::found) return Handle(&search.entry());
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
