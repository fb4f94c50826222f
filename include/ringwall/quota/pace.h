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

  // Without a limit (0) it runs as fast as a rate may be, with the largest burst.
  Pace(const Rate& rate, std::uint64_t now_ns);

  // The same clock, from `now_ns` on at another speed.
  [[nodiscard]] Pace changed_to(const Rate& rate, std::uint64_t now_ns) const;

  // Before its beginning it stands still; at the end of its range it stops.
  [[nodiscard]] std::uint64_t parts_at(std::uint64_t now_ns) const;

  // Charges `units` to `meter`, or leaves it as it is and says when to come again.
  [[nodiscard]] WaitNs charge(std::uint64_t& meter, std::uint64_t units, std::uint64_t now_ns) const;
  // Adds what was used already, whatever the burst; a debt grows to burst_units_max at most.
  void owe(std::uint64_t& meter, std::uint64_t units, std::uint64_t now_ns) const;
  // Takes back a charge of this turn.
  static void give_back(std::uint64_t& meter, std::uint64_t units) { meter -= units * parts_per_unit; }

  [[nodiscard]] bool is_settled(std::uint64_t meter, std::uint64_t now_ns) const { return meter <= parts_at(now_ns); }
  [[nodiscard]] std::uint64_t per_second() const { return rate_.per_second; }
  [[nodiscard]] std::uint64_t burst() const { return rate_.burst; }

 private:
  [[nodiscard]] WaitNs ns_for(std::uint64_t parts) const;

  Rate rate_;
  std::uint64_t scaled_parts_per_ns_;  // rounded down: never faster than the rate
  std::uint64_t origin_ns_;
  std::uint64_t origin_parts_ = 0;
};

}  // namespace ringwall::quota
