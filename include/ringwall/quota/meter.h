// meter.h: a meter (pace.h) that many threads charge.
//
// One word, without locks. A refusal changes nothing. A word that others changed contended_tries_max times meanwhile
// counts as refused, to be tried again in a millisecond. Relaxed: the word says nothing of any other.
#pragma once

#include <atomic>
#include <cstdint>

#include <ringwall/quota/pace.h>

namespace ringwall::quota {

class SharedMeter {
 public:
  [[nodiscard]] WaitNs charge(const Pace& pace, std::uint64_t units, std::uint64_t now_ns);
  void owe(const Pace& pace, std::uint64_t units, std::uint64_t now_ns);
  // Of a charge of this turn. If the clock passed the meter between the two, in another shard's charge, that much of
  // what was owed is lost: the rate times that while at most.
  void give_back(std::uint64_t units) { meter_.fetch_sub(units * Pace::parts_per_unit, std::memory_order_relaxed); }

  [[nodiscard]] bool is_settled(const Pace& pace, std::uint64_t now_ns) const {
    return pace.is_settled(meter_.load(std::memory_order_relaxed), now_ns);
  }

 private:
  std::atomic<std::uint64_t> meter_{0};
};

static_assert(std::atomic<std::uint64_t>::is_always_lock_free);

}  // namespace ringwall::quota
