#include "load/histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace ringwall::load {

namespace {

constexpr std::uint64_t ns_per_us = 1000;
constexpr unsigned step_bits = 10;  // 1,024 steps for every doubling
constexpr std::uint64_t steps = 1U << step_bits;
constexpr std::uint64_t exact_below_us = 2 * steps;

}  // namespace

std::size_t Histogram::index_of(std::uint64_t value_us) {
  if (value_us < exact_below_us) return value_us;
  const unsigned shift = static_cast<unsigned>(std::bit_width(value_us)) - (step_bits + 1);
  return exact_below_us + (shift - 1) * steps + ((value_us >> shift) - steps);
}

std::uint64_t Histogram::upper_end_us(std::size_t index) {
  if (index < exact_below_us) return index;
  const std::size_t above = index - exact_below_us;
  const std::size_t shift = above / steps + 1;
  return ((above % steps + steps + 1) << shift) - 1;
}

Histogram::Histogram() : counts_(index_of(highest_ns / ns_per_us) + 1) {}

void Histogram::record(std::uint64_t value_ns, std::uint64_t count) {
  if (count == 0) return;
  value_ns = std::min(value_ns, highest_ns);
  counts_[index_of((value_ns + ns_per_us - 1) / ns_per_us)] += count;
  count_ += count;
  min_ns_ = std::min(min_ns_, value_ns);
  max_ns_ = std::max(max_ns_, value_ns);
  sum_ns_ += static_cast<double>(value_ns) * static_cast<double>(count);
}

void Histogram::add(const Histogram& other) {
  if (other.count_ == 0) return;
  for (std::size_t index = 0; index < counts_.size(); ++index) counts_[index] += other.counts_[index];
  count_ += other.count_;
  min_ns_ = std::min(min_ns_, other.min_ns_);
  max_ns_ = std::max(max_ns_, other.max_ns_);
  sum_ns_ += other.sum_ns_;
}

void Histogram::clear() {
  if (count_ == 0) return;
  std::ranges::fill(counts_, 0);
  count_ = 0;
  min_ns_ = UINT64_MAX;
  max_ns_ = 0;
  sum_ns_ = 0;
}

double Histogram::mean_ns() const { return count_ == 0 ? 0 : sum_ns_ / static_cast<double>(count_); }

std::uint64_t Histogram::percentile_ns(double percent) const {
  if (count_ == 0) return 0;
  // 99.9 % of 1,000 is 999 values, also where the product comes out as 999.0000000000001.
  constexpr double slack = 1e-12;
  const double wanted = std::clamp(percent, 0.0, 100.0) / 100 * static_cast<double>(count_);
  const auto rank = std::clamp<std::uint64_t>(static_cast<std::uint64_t>(std::ceil(wanted * (1 - slack))), 1, count_);
  std::uint64_t seen = 0;
  for (std::size_t index = 0; index < counts_.size(); ++index) {
    seen += counts_[index];
    if (seen >= rank) return std::min(upper_end_us(index) * ns_per_us, max_ns_);
  }
  return max_ns_;
}

}  // namespace ringwall::load
