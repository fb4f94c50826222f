// histogram.h: how long things took, counted by fixed bounds. A value of one shard, written on its thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace ringwall::metrics {

struct Histogram {
  // From an answer out of the node's memory to one that has made it scan.
  static constexpr std::array<std::uint64_t, 15> bounds_ns{
      500'000,     1'000'000,   2'500'000,     5'000'000,     10'000'000,    25'000'000,     50'000'000,    100'000'000,
      250'000'000, 500'000'000, 1'000'000'000, 2'500'000'000, 5'000'000'000, 10'000'000'000, 30'000'000'000};

  void observe(std::uint64_t ns) {
    std::size_t bucket = 0;
    while (bucket < bounds_ns.size() && ns > bounds_ns[bucket]) ++bucket;
    ++counts[bucket];
    sum_ns += ns;
  }

  void add(const Histogram& other) {
    for (std::size_t bucket = 0; bucket < counts.size(); ++bucket) counts[bucket] += other.counts[bucket];
    sum_ns += other.sum_ns;
  }

  std::array<std::uint64_t, bounds_ns.size() + 1> counts{};  // not cumulative; the last: beyond all bounds
  std::uint64_t sum_ns = 0;
};

}  // namespace ringwall::metrics
