// histogram.h: a high dynamic range histogram: any time from 1 µs to minutes, to three significant digits.
//
// Values are nanoseconds, kept in units of 1 µs (rounded up) below 2,048 and from there in 1,024 steps for every
// doubling: no value is told lower than it was, nor higher by more than 1 µs or 0.1 %. Fixed size, no allocation after
// construction. One thread at a time. Source: Gil Tene's HdrHistogram, whose buckets these are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ringwall::load {

class Histogram {
 public:
  static constexpr std::uint64_t highest_ns = 3'600'000'000'000;  // an hour; longer counts as this

  Histogram();

  void record(std::uint64_t value_ns, std::uint64_t count = 1);
  void add(const Histogram& other);
  void clear();

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] std::uint64_t min_ns() const { return count_ == 0 ? 0 : min_ns_; }  // exact
  [[nodiscard]] std::uint64_t max_ns() const { return max_ns_; }                    // exact
  [[nodiscard]] double mean_ns() const;
  // The smallest value that at least so many percent (0 to 100) of the values do not exceed: the bucket's upper end,
  // and never more than max_ns(). 0 where nothing was recorded.
  [[nodiscard]] std::uint64_t percentile_ns(double percent) const;

 private:
  [[nodiscard]] static std::size_t index_of(std::uint64_t value_us);
  [[nodiscard]] static std::uint64_t upper_end_us(std::size_t index);

  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t min_ns_ = UINT64_MAX;
  std::uint64_t max_ns_ = 0;
  double sum_ns_ = 0;
};

}  // namespace ringwall::load
