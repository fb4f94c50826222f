#include <ringwall/quota/machine.h>

namespace ringwall::quota {

WaitNs MachineShare::take_slice(const Pace& pace, std::uint64_t slice_units, std::uint64_t units,
                                std::uint64_t now_ns) {
  if (units > pace.burst()) return never;
  const std::uint64_t missing = units - left_units_;
  if (missing < slice_units && machine_.units().charge(pace, slice_units, now_ns) == given) {
    left_units_ += slice_units - units;
    return given;
  }
  const WaitNs wait = machine_.units().charge(pace, missing, now_ns);
  if (wait == given) left_units_ = 0;
  return wait;
}

}  // namespace ringwall::quota
