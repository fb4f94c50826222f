#include <ringwall/quota/pace.h>

#include <ringwall/check.h>

namespace ringwall::quota {
namespace {

constexpr std::uint64_t ns_per_second = 1'000'000'000;

Rate in_reach(const Rate& rate) { return rate.per_second > 0 ? rate : Rate{units_per_second_max, burst_units_max}; }

}  // namespace

static_assert(Pace::parts_max + 2 * burst_units_max * Pace::parts_per_unit < 1ULL << 63);

Pace::Pace(const Rate& rate, std::uint64_t now_ns) : rate_(in_reach(rate)), origin_ns_(now_ns) {
  RINGWALL_CHECK(rate_.per_second <= units_per_second_max);
  RINGWALL_CHECK(rate_.burst >= 1);
  RINGWALL_CHECK(rate_.burst <= burst_units_max);
  const Wide scaled = (static_cast<Wide>(rate_.per_second * parts_per_unit) << scale_bits) / ns_per_second;
  scaled_parts_per_ns_ = static_cast<std::uint64_t>(scaled);
  RINGWALL_CHECK(scaled_parts_per_ns_ > 0);
  RINGWALL_CHECK(scaled == scaled_parts_per_ns_);
}

Pace Pace::changed_to(const Rate& rate, std::uint64_t now_ns) const {
  Pace next(rate, std::max(now_ns, origin_ns_));
  next.origin_parts_ = parts_at(now_ns);
  return next;
}

std::uint64_t Pace::owing(std::uint64_t meter, std::uint64_t units, std::uint64_t parts) {
  const std::uint64_t next = std::max(meter, parts) + std::min(units, burst_units_max) * parts_per_unit;
  return std::max(meter, std::min(next, parts + burst_units_max * parts_per_unit));
}

WaitNs Pace::ns_for(std::uint64_t parts) const {
  const Wide ns = ((static_cast<Wide>(parts) << scale_bits) + scaled_parts_per_ns_ - 1) / scaled_parts_per_ns_;
  return static_cast<WaitNs>(std::min<Wide>(ns, never - 1));
}

}  // namespace ringwall::quota
