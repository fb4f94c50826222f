#include "load/schedule.h"

#include <algorithm>
#include <cmath>

#include "load/course.h"

namespace ringwall::load {

namespace {

constexpr double second_ns = 1e9;

}  // namespace

Schedule::Schedule(const Rate& rate, std::uint64_t duration_ns, unsigned worker, unsigned workers)
    : rate_(rate),
      duration_ns_(duration_ns),
      // What 10 calls in a tenth of a second are must not depend on the last bit of a double.
      calls_(static_cast<std::uint64_t>((rate.from + rate.to) / 2 * (static_cast<double>(duration_ns) / second_ns) +
                                        1e-6)),
      next_(worker),
      workers_(workers) {
  look_up();
}

// Calls asked for until t: from·t + (to − from)·t²/2T. Solved for t in the form that loses no digits where the rate
// hardly changes.
std::uint64_t Schedule::due_ns(std::uint64_t number) const {
  const double wanted = static_cast<double>(number);
  const double growth =
      (rate_.to - rate_.from) / (static_cast<double>(duration_ns_) / second_ns);  // a second, a second
  const double root = std::sqrt(std::max(rate_.from * rate_.from + 2 * growth * wanted, 0.0));
  const double divisor = rate_.from + root;
  if (divisor <= 0) return 0;
  const double at_ns = 2 * wanted / divisor * second_ns;
  return std::min(static_cast<std::uint64_t>(std::llround(at_ns)), duration_ns_);
}

double Schedule::rate_at(std::uint64_t at_ns) const {
  const double share = std::min(static_cast<double>(at_ns) / static_cast<double>(duration_ns_), 1.0);
  return rate_.from + (rate_.to - rate_.from) * share;
}

void Schedule::advance() {
  next_ += workers_;
  look_up();
}

void Schedule::look_up() { next_due_ns_ = next_ < calls_ ? due_ns(next_) : never_ns; }

}  // namespace ringwall::load
