// machine.h: the rate of the whole machine, of which each shard takes a slice at a time.
//
// One word that shards change once a slice, not once a call. What a shard has taken and not used stays with it: over
// any time t the machine gives at most burst + rate * t + shards * slice.
#pragma once

#include <algorithm>
#include <cstdint>

#include <ringwall/quota/meter.h>
#include <ringwall/quota/pace.h>

namespace ringwall::quota {

// Owner: the server. Any thread.
class Machine {
 public:
  [[nodiscard]] SharedMeter& units() { return units_; }

 private:
  alignas(64) SharedMeter units_;
};

// Owner: one shard.
class MachineShare {
 public:
  explicit MachineShare(Machine& machine) : machine_(machine) {}

  // Out of what is left of the slice, or of a new one; when the machine has no whole slice left, of just what is
  // missing.
  [[nodiscard]] WaitNs charge(const Pace& pace, std::uint64_t slice_units, std::uint64_t units, std::uint64_t now_ns) {
    if (units > left_units_) return take_slice(pace, slice_units, units, now_ns);
    left_units_ -= units;
    return given;
  }
  void keep_at_most(std::uint64_t units) { left_units_ = std::min(left_units_, units); }
  [[nodiscard]] std::uint64_t left_units() const { return left_units_; }

 private:
  [[nodiscard]] WaitNs take_slice(const Pace& pace, std::uint64_t slice_units, std::uint64_t units,
                                  std::uint64_t now_ns);

  Machine& machine_;
  std::uint64_t left_units_ = 0;
};

}  // namespace ringwall::quota
