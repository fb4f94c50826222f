// owned_slice.h: bytes with memory of their own, as a Slice: what waits longer than a turn.
#pragma once

#include <ringwall/connection/budget.h>
#include <ringwall/ring/slice.h>

#include <cstddef>
#include <optional>
#include <span>
#include <utility>

namespace ringwall::connection {

// The slice keeps `holder`, whose memory `bytes` lies in, until the last of its shares goes.
template <typename Holder>
[[nodiscard]] ring::Slice make_owned_slice(Holder holder, std::span<std::byte> bytes,
                                           ring::Lifetime lifetime = ring::Lifetime::own) {
  struct OwnedBlock : ring::Block {
    OwnedBlock(Holder&& holder_in, std::span<std::byte> memory, ring::Lifetime lifetime_in)
        : Block(memory.data(), memory.size(), lifetime_in,
                [](Block& block) { delete static_cast<OwnedBlock*>(&block); }),
          holder(std::move(holder_in)) {}
    Holder holder;
  };
  return {*new OwnedBlock(std::move(holder), bytes, lifetime), bytes};
}

// All of `pieces`, one after another, in new memory charged to `key`'s share of `budget` until it is let go; nothing
// when the budget or the share is spent.
[[nodiscard]] std::optional<ring::Slice> copy_to_backlog(std::span<const ring::Slice> pieces, SharedBudget& budget,
                                                         const ShareKey& key);

}  // namespace ringwall::connection
