// pace.h: a rate as a clock, and the charge against it (the generic cell rate algorithm).
//
// A pace is a clock that shows what has been earned since the beginning, in parts of a unit, and so runs at the rate. A
// meter is a time on that clock: the one at which everything charged will have been earned. It may be ahead of the
// clock by the burst, and no more. When the rate changes the clock goes on from where it is at the new speed, so that
// what is owed stays the same number of units.
//
// Bytes and units: nanoseconds of any clock that does not go back; 1,024 parts are a unit. A pace is a value, read by
// any thread. Source: ITU-T I.371 (virtual scheduling), with the time axis measured in units.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include <ringwall/quota/limits.h>

namespace ringwall::quota {

// How long to wait until the same charge would be given. 0: it was given. never: it is more than the burst.
using WaitNs = std::uint64_t;
inline constexpr WaitNs given = 0;
inline constexpr WaitNs never = std::numeric_limits<WaitNs>::max();

class Pace {
 public:
  static constexpr std::uint64_t parts_per_unit = 1'024;
  // Where the clock stops. What a meter may be ahead of it still fits.
  static constexpr std::uint64_t parts_max = 1ULL << 62;

  // Without a limit (0) it runs as fast as a rate may be, with the largest burst.
  Pace(const Rate& rate, std::uint64_t now_ns);

  // The same clock, from `now_ns` on at another speed.
  [[nodiscard]] Pace changed_to(const Rate& rate, std::uint64_t now_ns) const;

  // Before its beginning it stands still.
  [[nodiscard]] std::uint64_t parts_at(std::uint64_t now_ns) const {
    if (now_ns <= origin_ns_) return origin_parts_;
    const auto since = static_cast<Wide>(now_ns - origin_ns_) * scaled_parts_per_ns_ >> scale_bits;
    return static_cast<std::uint64_t>(std::min<Wide>(origin_parts_ + since, parts_max));
  }

  // What `meter` becomes by a charge when the clock shows `parts`, or how long to wait.
  struct Step {
    std::uint64_t meter;
    WaitNs wait;
  };
  [[nodiscard]] Step step(std::uint64_t meter, std::uint64_t units, std::uint64_t parts) const {
    if (units > rate_.burst) [[unlikely]]
      return {meter, never};
    const std::uint64_t next = std::max(meter, parts) + units * parts_per_unit;
    const std::uint64_t latest = parts + rate_.burst * parts_per_unit;
    if (next > latest) [[unlikely]]
      return {meter, ns_for(next - latest)};
    return {next, given};
  }
  // The same of what was used already: whatever the burst, up to a debt of burst_units_max.
  [[nodiscard]] static std::uint64_t owing(std::uint64_t meter, std::uint64_t units, std::uint64_t parts);

  // On a meter that one thread has to itself.
  [[nodiscard]] WaitNs charge(std::uint64_t& meter, std::uint64_t units, std::uint64_t now_ns) const {
    const Step done = step(meter, units, parts_at(now_ns));
    meter = done.meter;
    return done.wait;
  }
  void owe(std::uint64_t& meter, std::uint64_t units, std::uint64_t now_ns) const {
    meter = owing(meter, units, parts_at(now_ns));
  }
  // Takes back a charge of this turn.
  static void give_back(std::uint64_t& meter, std::uint64_t units) { meter -= units * parts_per_unit; }

  [[nodiscard]] bool is_settled(std::uint64_t meter, std::uint64_t now_ns) const { return meter <= parts_at(now_ns); }
  [[nodiscard]] std::uint64_t per_second() const { return rate_.per_second; }
  [[nodiscard]] std::uint64_t burst() const { return rate_.burst; }

 private:
  __extension__ using Wide = unsigned __int128;

  // The slowest rate is then exact to 1 in 10 million, and the fastest still fits a word.
  static constexpr unsigned scale_bits = 44;

  [[nodiscard]] WaitNs ns_for(std::uint64_t parts) const;

  Rate rate_;
  std::uint64_t scaled_parts_per_ns_;  // rounded down: never faster than the rate
  std::uint64_t origin_ns_;
  std::uint64_t origin_parts_ = 0;
};

}  // namespace ringwall::quota
