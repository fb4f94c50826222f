// silence.h: that a node was asked how it is and nothing came back: what shards are told to look at their own
// connections to it.
//
// A value. It says that all of one look at the node, from its beginning to its time limit, was silence; who refuses, or
// answers with rubbish, is not silent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>

namespace ringwall::upstream {

struct Silence {
  std::size_t node;        // through all groups
  std::uint64_t since_ns;  // CLOCK_MONOTONIC: when that look began
  bool is_failing;         // it is judged to be so by now: see HealthSettings::fall
};

using TellSilence = std::function<void(const Silence& silence)>;

}  // namespace ringwall::upstream
