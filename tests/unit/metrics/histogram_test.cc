#include <ringwall/metrics/histogram.h>

#include <numeric>

#include "unit/catch.h"

using namespace ringwall::metrics;

TEST_CASE("what took exactly a bound is in its bucket, a nanosecond more in the next") {
  for (std::size_t bucket = 0; bucket < Histogram::bounds_ns.size(); ++bucket) {
    Histogram histogram;
    histogram.observe(Histogram::bounds_ns[bucket]);
    histogram.observe(Histogram::bounds_ns[bucket] + 1);
    CHECK(histogram.counts[bucket] == 1);
    CHECK(histogram.counts[bucket + 1] == 1);
    CHECK(histogram.sum_ns == 2 * Histogram::bounds_ns[bucket] + 1);
  }
}

TEST_CASE("nothing is lost between zero and forever") {
  Histogram histogram;
  histogram.observe(0);
  histogram.observe(3'600'000'000'000);
  CHECK(histogram.counts.front() == 1);
  CHECK(histogram.counts.back() == 1);
}

TEST_CASE("two histograms are added bucket by bucket") {
  Histogram one;
  one.observe(1);
  Histogram other = one;
  other.observe(2'000'000);
  one.add(other);
  CHECK(one.counts[0] == 2);
  CHECK(one.counts[2] == 1);
  CHECK(std::accumulate(one.counts.begin(), one.counts.end(), std::uint64_t{0}) == 3);
  CHECK(one.sum_ns == 2'000'002);
}
