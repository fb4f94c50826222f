// search.h: one key's entry in its bucket: found, or made of an idle one. All that threads can do to each other in the
// table is here.
//
// Owned by the call that searches; used by table.cc only.
#pragma once

#include <ringwall/check.h>
#include <ringwall/limits.h>
#include <ringwall/quota/entry.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ringwall::quota {

// The control word of an entry, which decides alone whose it is: one compare-and-swap takes, keeps or gives it up.
//
//   2 bits   state
//   20 bits  handles that pin it
//   30 bits  tag: what the bucket does not tell of the key. Two keys of a bucket share one once in 70 million times;
//            they then share an entry.
//   12 bits  generation: one more at each change but the release of a handle, so that who judged an entry idle does not
//            take it when it was used since. Were it used exactly 4,096 times between the judgement and the swap, its
//            debt would go to the next address.
enum class State : std::uint8_t {
  vacant,
  claimed,   // tagged by one thread that must still see that no other entry has the key: not to be pinned
  live,      // the only one of its key
  overflow,  // belongs to nobody, pinned by nobody
};

inline constexpr unsigned handles_shift = 2;
inline constexpr unsigned tag_shift = 22;
inline constexpr unsigned generation_shift = 52;
inline constexpr std::uint64_t state_mask = (1ULL << handles_shift) - 1;
inline constexpr std::uint64_t handle_one = 1ULL << handles_shift;
inline constexpr std::uint64_t handles_mask = handles_per_entry_max << handles_shift;
inline constexpr std::uint64_t tag_mask = ((1ULL << (generation_shift - tag_shift)) - 1) << tag_shift;
inline constexpr std::uint64_t generation_one = 1ULL << generation_shift;
static_assert((state_mask | handles_mask | tag_mask) == generation_one - 1);

constexpr State state_of(std::uint64_t control) { return static_cast<State>(control & state_mask); }
constexpr bool is_held(std::uint64_t control) { return (control & handles_mask) != 0; }

constexpr std::uint64_t tag_of(std::uint64_t key) { return key >> (64 - generation_shift) & tag_mask; }

// The next generation of `before` in another state, held by nobody.
constexpr std::uint64_t next_control(std::uint64_t before, State state, std::uint64_t tag) {
  return ((before & ~(generation_one - 1)) + generation_one) | tag | static_cast<std::uint64_t>(state);
}

// Looks for one key's entry in its bucket, and makes one: pin, choose, claim, settle, and from the start again when
// others came between.
//
// Two threads may claim two entries for one key at once. Each then looks at all others before it makes its own live: it
// yields to a live one, and takes a claimed one away from its owner or yields to it. Whoever claims second sees the
// first one's claim or what became of it, since all of this is in one order (seq_cst). So no key has two live entries.
class Search {
 public:
  Search(std::span<Entry, bucket_ways> bucket, std::uint64_t key)
      : bucket_(bucket), tag_(tag_of(key)), first_(key >> generation_shift) {}

  enum class Step : std::uint8_t {
    found,
    missing,
    again,  // others changed what was looked at
    full,
  };

  // found: the key's entry is pinned, see entry(). full: no more handles fit it. missing: there is none.
  Step pin() {
    for (std::size_t i = 0; i < bucket_ways; ++i) {
      Entry& candidate = way(i);
      std::uint64_t seen = candidate.control_.load();
      if (!is_live(seen)) continue;
      if ((seen & handles_mask) == handles_mask) return Step::full;
      if (!candidate.control_.compare_exchange_strong(seen, seen + handle_one + generation_one)) return Step::again;
      entry_ = &candidate;
      return Step::found;
    }
    return Step::missing;
  }

  // The opposite of what pin() and settle() do.
  static void unpin(Entry& entry) {
    if (is_overflow(entry)) return;
    // Release: who finds the entry held by nobody sees all that was written while it was.
    const std::uint64_t before = entry.control_.fetch_sub(handle_one, std::memory_order_release);
    RINGWALL_CHECK(is_held(before));
  }

  static bool is_overflow(const Entry& entry) {
    return state_of(entry.control_.load(std::memory_order_relaxed)) == State::overflow;
  }

  // found: there is an idle entry, to be claimed. full: there is none. `patient`: the claims of others are theirs;
  // otherwise one of the same key may be claimed again.
  Step choose(const PeerTerms& terms, std::uint64_t now_ns, bool patient) {
    const std::uint64_t idle_at_ns = now_ns - std::min(now_ns, reuse_after_ns);
    bool has_come = false;  // the key, since pin() found none
    for (std::size_t i = 0; i < bucket_ways; ++i) {
      entry_ = &way(i);
      chosen_ = entry_->control_.load();
      has_come = has_come || is_live(chosen_) || is_claimed(chosen_);
      if (is_held(chosen_)) continue;
      if (state_of(chosen_) == State::claimed && (patient || !is_claimed(chosen_))) continue;
      if (entry_->has_nothing_left(terms, idle_at_ns)) return Step::found;
    }
    return has_come ? Step::again : Step::full;
  }

  // found: what was chosen is claimed. Fields are only written by those who pin an entry, and to pin it changes the
  // generation: so it is as idle as it was.
  Step claim() {
    claim_ = next_control(chosen_, State::claimed, tag_);
    return entry_->control_.compare_exchange_strong(chosen_, claim_) ? Step::found : Step::again;
  }

  // found: what was claimed is live and pinned, see entry(). again: it is given up. `patient`: yield to the claims of
  // others.
  Step settle(bool patient) {
    for (Entry& other : bucket_) {
      if (&other == entry_) continue;
      std::uint64_t seen = other.control_.load();
      if (is_live(seen)) return give_up();
      if (!is_claimed(seen)) continue;
      if (patient && &other < entry_) return give_up();
      if (!other.control_.compare_exchange_strong(seen, next_control(seen, State::vacant, 0))) {
        if (is_live(seen)) return give_up();
      }
    }
    const std::uint64_t live = next_control(claim_, State::live, tag_) + handle_one;
    std::uint64_t expected = claim_;
    return entry_->control_.compare_exchange_strong(expected, live) ? Step::found : Step::again;
  }

  // The one that the last step was about.
  Entry& entry() const { return *entry_; }
  // Whether what was chosen was another key's.
  bool evicts() const { return state_of(chosen_) == State::live && (chosen_ & tag_mask) != tag_; }

 private:
  // Each key begins elsewhere in its bucket, and so mostly where its entry is.
  Entry& way(std::size_t i) { return bucket_[(first_ + i) % bucket_ways]; }
  bool is_live(std::uint64_t control) const { return state_of(control) == State::live && (control & tag_mask) == tag_; }
  bool is_claimed(std::uint64_t control) const {
    return state_of(control) == State::claimed && (control & tag_mask) == tag_;
  }
  Step give_up() {
    // Where this fails another thread took the claim away.
    std::uint64_t expected = claim_;
    entry_->control_.compare_exchange_strong(expected, next_control(claim_, State::vacant, 0));
    return Step::again;
  }

  std::span<Entry, bucket_ways> bucket_;
  std::uint64_t tag_;
  std::size_t first_;
  std::uint64_t claim_ = 0;
  Entry* entry_ = nullptr;
  std::uint64_t chosen_ = 0;  // its control word
};

}  // namespace ringwall::quota
