// arena.h: memory for bytes that live for a turn: heads, control frames, what was decrypted, what was encrypted.
//
// Bytes are cut one after another from blocks that hold four full TLS records, so a turn that answers a thousand
// clients touches as little memory as it writes. A block is used again when the last slice of it has gone. Owner: the
// shard.
#pragma once

#include <ringwall/ring/slice.h>

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

namespace ringwall::connection {

class Arena {
 public:
  static constexpr std::size_t block_bytes = 66 * 1024;

  // `bytes_soft_max` is what has_room() goes by: whoever can wait a turn asks it first.
  explicit Arena(std::size_t bytes_soft_max);
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena();

  // Memory for `bytes` (at most block_bytes) that is the caller's until the next reserve() or commit().
  [[nodiscard]] std::span<std::byte> reserve(std::size_t bytes);
  // Makes the first `bytes` of what was reserved last a slice.
  [[nodiscard]] ring::Slice commit(std::size_t bytes);
  [[nodiscard]] ring::Slice copy(std::span<const std::byte> bytes);

  // True while fewer blocks are held by slices than the bound allows.
  [[nodiscard]] bool has_room() const { return all_.size() - free_.size() <= blocks_soft_max_; }
  [[nodiscard]] std::size_t bytes_soft_max() const { return blocks_soft_max_ * block_bytes; }
  [[nodiscard]] std::size_t bytes_held() const { return all_.size() * block_bytes; }

 private:
  struct ArenaBlock;
  static void release(ring::Block& block);
  void next_block();

  std::size_t blocks_soft_max_;
  std::vector<std::unique_ptr<ArenaBlock>> all_;
  std::vector<ArenaBlock*> free_;
  ArenaBlock* current_ = nullptr;  // held by the arena itself
  std::size_t used_ = 0;           // bytes of current_ that are given out
};

}  // namespace ringwall::connection
