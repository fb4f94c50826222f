// choice.h: which node of an upstream a client gets.
//
// Pure: how the nodes are, how much of each is in use, and which is ejected, in; one of them out. The best state counts
// first: where no node is well, the least bad one serves, so that being strict never refuses everyone. Among equals it
// is the least used one, or, for `hash`, the one with the highest hash of it and the client (rendezvous hashing, Thaler
// and Ravishankar 1998): a node that goes, or comes, moves its own clients alone. Any thread.
#pragma once

#include <ringwall/config/config.h>
#include <ringwall/upstream/health.h>
#include <ringwall/upstream/target.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace ringwall::upstream {

inline constexpr std::size_t group_nodes_max = 64;  // as many as a list of the configuration may have

struct Ballot {
  std::uint64_t client = 0;  // client_hash()
  std::uint64_t tried = 0;   // a bit for each node that is out of the question
  std::uint64_t turn = 0;    // by which equals that are used as much are dealt out
  std::uint64_t now_ns = 0;  // CLOCK_MONOTONIC
};

// The same in each process.
[[nodiscard]] std::uint64_t client_hash(const std::array<std::uint8_t, 16>& address);

// The index of a node. Nothing: each has been tried. `health`, where it is not empty, has a row for each node.
[[nodiscard]] std::optional<std::size_t> choose(std::span<const Target* const> nodes,
                                                std::span<const NodeHealth> health, config::Balance balance,
                                                const Ballot& ballot);

}  // namespace ringwall::upstream
