// random.h: the one source of chance in a simulation. Everything that is drawn comes from it, so the seed says it all.
//
// Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (SplitMix64).
#pragma once

#include <ringwall/check.h>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ringwall::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  Random(const Random&) = delete;
  Random& operator=(const Random&) = delete;

  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }

  std::uint64_t below(std::uint64_t bound) {
    RINGWALL_CHECK(bound > 0);
    return next() % bound;
  }

  // Both ends included.
  std::uint64_t between(std::uint64_t low, std::uint64_t high) { return low + below(high - low + 1); }

  // As likely to have few bits as many, both ends included: sizes and delays are drawn so, since the small ones are
  // where things break and the large ones are where they fill up.
  std::uint64_t skewed(std::uint64_t low, std::uint64_t high) {
    RINGWALL_CHECK(low <= high);
    const auto bits = static_cast<unsigned>(std::bit_width(high - low));
    const std::uint64_t span_max = (std::uint64_t{1} << below(bits + 1)) - 1;
    return low + below((span_max < high - low ? span_max : high - low) + 1);
  }

  // True at the given rate, from 0 to 1. A rate of 0 draws nothing.
  bool chance(double rate) { return rate > 0 && static_cast<double>(next() >> 11) * 0x1p-53 < rate; }

  void fill(std::span<std::byte> bytes) {
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(next());
  }

 private:
  std::uint64_t state_;
};

}  // namespace ringwall::sim
