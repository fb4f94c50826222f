#include "load/histogram.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "unit/catch.h"

namespace {

using ringwall::load::Histogram;

constexpr std::uint64_t us = 1000, ms = 1'000'000, s = 1'000'000'000;

// By the definition, from all values: the smallest that at least `permille_100` hundredths of a permille do not exceed.
std::uint64_t exact(std::vector<std::uint64_t> values, std::uint64_t hundredths_of_permille) {
  std::ranges::sort(values);
  const std::uint64_t rank = (values.size() * hundredths_of_permille + 99'999) / 100'000;
  return values[std::max<std::uint64_t>(rank, 1) - 1];
}

void check_told(std::uint64_t told, std::uint64_t value) {
  CHECK(told >= value);
  CHECK(static_cast<double>(told - value) <= std::max(1000.0, static_cast<double>(value) * 0.001));
}

}  // namespace

TEST_CASE("percentiles are those of the values, never lower and within 1 µs or 0.1 %", "[histogram]") {
  std::mt19937_64 random(7);
  // From 1 µs to ten minutes, evenly over the powers.
  std::uniform_real_distribution<double> power(3, std::log10(600e9));
  for (const std::size_t count : {1U, 2U, 10U, 999U, 1000U, 20'000U}) {
    Histogram histogram;
    std::vector<std::uint64_t> values;
    for (std::size_t index = 0; index < count; ++index) {
      values.push_back(static_cast<std::uint64_t>(std::pow(10, power(random))));
      histogram.record(values.back());
    }
    for (const std::uint64_t part : {0U, 1U, 10'000U, 50'000U, 75'000U, 90'000U, 99'000U, 99'900U, 99'990U, 100'000U}) {
      check_told(histogram.percentile_ns(static_cast<double>(part) / 1000), exact(values, part));
    }
    CHECK(histogram.min_ns() == std::ranges::min(values));
    CHECK(histogram.max_ns() == std::ranges::max(values));
    CHECK(histogram.percentile_ns(100) == histogram.max_ns());
    CHECK(histogram.count() == count);
  }
}

TEST_CASE("a percentile that falls on a whole value is that value", "[histogram]") {
  Histogram histogram;
  for (std::uint64_t value = 1; value <= 1000; ++value) histogram.record(value * us);
  CHECK(histogram.percentile_ns(99.9) == 999 * us);
  CHECK(histogram.percentile_ns(99.91) == 1000 * us);
  CHECK(histogram.percentile_ns(50) == 500 * us);
  CHECK(histogram.percentile_ns(0.1) == 1 * us);
  CHECK(histogram.percentile_ns(0) == 1 * us);
  CHECK(histogram.percentile_ns(-5) == 1 * us);
  CHECK(histogram.percentile_ns(200) == 1000 * us);
}

TEST_CASE("both sides of the places where the steps double are told apart", "[histogram]") {
  for (std::uint64_t edge_us = 2048; edge_us <= 2'147'483'648; edge_us *= 2) {
    Histogram histogram;
    histogram.record((edge_us - 1) * us);
    histogram.record(edge_us * us);
    CHECK(histogram.percentile_ns(50) == (edge_us - 1) * us);
    CHECK(histogram.percentile_ns(100) == edge_us * us);
  }
}

TEST_CASE("nothing recorded is 0 everywhere", "[histogram]") {
  const Histogram histogram;
  CHECK(histogram.count() == 0);
  CHECK(histogram.min_ns() == 0);
  CHECK(histogram.max_ns() == 0);
  CHECK(histogram.mean_ns() == 0);
  CHECK(histogram.percentile_ns(99) == 0);
}

TEST_CASE("zero and what is below a microsecond count as at most a microsecond", "[histogram]") {
  Histogram histogram;
  histogram.record(0);
  CHECK(histogram.percentile_ns(50) == 0);
  histogram.record(1);
  CHECK(histogram.percentile_ns(100) == 1);
  CHECK(histogram.count() == 2);
}

TEST_CASE("what is longer than an hour counts as an hour", "[histogram]") {
  Histogram histogram;
  histogram.record(UINT64_MAX);
  CHECK(histogram.max_ns() == Histogram::highest_ns);
  CHECK(histogram.percentile_ns(50) == Histogram::highest_ns);
}

TEST_CASE("two histograms added are one of all values", "[histogram]") {
  Histogram one, other, both;
  for (std::uint64_t value = 1; value < 500; ++value) {
    (value % 2 == 0 ? one : other).record(value * value * us, value % 3);
    both.record(value * value * us, value % 3);
  }
  one.add(other);
  one.add(Histogram());
  CHECK(one.count() == both.count());
  CHECK(one.min_ns() == both.min_ns());
  CHECK(one.max_ns() == both.max_ns());
  CHECK(std::abs(one.mean_ns() / both.mean_ns() - 1) < 1e-9);
  for (const double percent : {1.0, 50.0, 99.0, 100.0})
    CHECK(one.percentile_ns(percent) == both.percentile_ns(percent));
}

TEST_CASE("a cleared histogram is as new", "[histogram]") {
  Histogram histogram;
  histogram.record(3 * s, 5);
  histogram.clear();
  CHECK(histogram.count() == 0);
  histogram.record(2 * ms);
  CHECK(histogram.min_ns() == 2 * ms);
  CHECK(histogram.max_ns() == 2 * ms);
  CHECK(histogram.mean_ns() == 2.0 * ms);
}
