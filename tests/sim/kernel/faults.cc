#include "sim/kernel/faults.h"

#include <array>

namespace ringwall::sim {

namespace {

struct NamedRate {
  const char* name;
  double Faults::* rate;
};

constexpr std::array rates{
    NamedRate{"short_receive", &Faults::short_receive},
    NamedRate{"short_send", &Faults::short_send},
    NamedRate{"multishot_ends", &Faults::multishot_ends},
    NamedRate{"no_buffers", &Faults::no_buffers},
    NamedRate{"cancel_loses", &Faults::cancel_loses},
    NamedRate{"late_completion", &Faults::late_completion},
    NamedRate{"descriptor_refused", &Faults::descriptor_refused},
    NamedRate{"enter_refused", &Faults::enter_refused},
    NamedRate{"completions_held", &Faults::completions_held},
    NamedRate{"connection_reset", &Faults::connection_reset},
    NamedRate{"connect_refused", &Faults::connect_refused},
    NamedRate{"connect_unanswered", &Faults::connect_unanswered},
    NamedRate{"connect_slow", &Faults::connect_slow},
};
static_assert(sizeof(Faults) == rates.size() * sizeof(double));

}  // namespace

Faults Faults::drawn(Random& random) {
  Faults faults;
  for (const NamedRate& named : rates) {
    if (random.below(2) == 0) continue;
    faults.*named.rate = 1.0 / static_cast<double>(3ULL << random.below(9));
  }
  return faults;
}

void Faults::print(std::FILE* out) const {
  for (const NamedRate& named : rates) {
    if (this->*named.rate > 0) std::fprintf(out, "  fault %s at rate %.4f\n", named.name, this->*named.rate);
  }
}

}  // namespace ringwall::sim
