// run.h: one seed: clients, a shard of Ringwall, a node, faults; then what must hold.
#pragma once

#include <cstdint>

namespace ringwall::sim {

struct Outcome {
  std::uint64_t end_ns;
  std::uint64_t drawn;
  std::uint64_t completions;
  std::uint64_t sessions;
  std::uint64_t messages_through;  // to the node and back, whole
  bool operator==(const Outcome&) const = default;
};

// Aborts with the story of the run, its seed first, when an oracle finds that something does not hold.
[[nodiscard]] Outcome run_session_seed(std::uint64_t seed);

}  // namespace ringwall::sim
