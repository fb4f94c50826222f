#include <ringwall/quota/meter.h>

#include <algorithm>

namespace ringwall::quota {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;
constexpr WaitNs contended_wait_ns = 1'000'000;

}  // namespace

WaitNs SharedMeter::charge(const Pace& pace, std::uint64_t units, std::uint64_t now_ns) {
  const std::uint64_t parts = pace.parts_at(now_ns);
  std::uint64_t seen = meter_.load(relaxed);
  for (int tries = 0; tries < contended_tries_max; ++tries) {
    const Pace::Step step = pace.step(seen, units, parts);
    if (step.wait != given) return step.wait;
    if (meter_.compare_exchange_weak(seen, step.meter, relaxed)) return given;
  }
  return contended_wait_ns;
}

void SharedMeter::owe(const Pace& pace, std::uint64_t units, std::uint64_t now_ns) {
  const std::uint64_t parts = pace.parts_at(now_ns);
  std::uint64_t seen = meter_.load(relaxed);
  for (int tries = 0; tries < contended_tries_max; ++tries) {
    if (meter_.compare_exchange_weak(seen, Pace::owing(seen, units, parts), relaxed)) return;
  }
  // Those who were faster have brought the meter up to the clock already.
  meter_.fetch_add(std::min(units, burst_units_max) * Pace::parts_per_unit, relaxed);
}

}  // namespace ringwall::quota
