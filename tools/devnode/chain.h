// chain.h: blocks that follow one another, without transactions, and the same in each run.
//
// Headers, parents and hashes are what a Substrate node would make of them (BLAKE2b-256 of the SCALE header), so that a
// client that hashes a header finds the block again. Nothing is executed: the state root is made up from the number.
// Knows no time: advance() makes the next block. Owner: the server, on its thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <optional>
#include <string>
#include <unordered_map>

#include "devnode/blake2b.h"

namespace ringwall::devnode {

struct Header {
  Hash parent{};
  std::uint32_t number = 0;
  Hash state_root{};
  Hash extrinsics_root{};

  [[nodiscard]] Hash hash() const;
  [[nodiscard]] std::string to_json() const;
};

class Chain {
 public:
  // Older blocks are forgotten, but for the first: 18 days of a block in 6 s.
  static constexpr std::size_t blocks_kept_max = std::size_t{1} << 18;

  // The finalized head stays that many blocks behind the best.
  explicit Chain(std::uint32_t finality_lag);

  void advance();

  [[nodiscard]] std::uint32_t best() const { return best_; }
  [[nodiscard]] std::uint32_t finalized() const { return best_ < finality_lag_ ? 0 : best_ - finality_lag_; }

  [[nodiscard]] const Header* header(std::uint32_t number) const;
  [[nodiscard]] std::optional<Hash> hash(std::uint32_t number) const;
  [[nodiscard]] std::optional<std::uint32_t> number(const Hash& hash) const;

 private:
  struct Block {
    Header header;
    Hash hash;
  };
  struct HashOfHash {
    std::size_t operator()(const Hash& hash) const {
      std::size_t value;
      std::memcpy(&value, hash.data(), sizeof value);
      return value;
    }
  };

  [[nodiscard]] const Block* find(std::uint32_t number) const;

  std::uint32_t finality_lag_;
  std::uint32_t best_ = 0;
  Block genesis_;
  std::deque<Block> blocks_;  // up to the best one, without the first
  std::unordered_map<Hash, std::uint32_t, HashOfHash> numbers_;
};

}  // namespace ringwall::devnode
