// slice.h: bytes that several holders may look at until the last lets go.
//
// A Block is memory with a holder count and a way back to where it came from: a provided receive buffer, an arena, the
// heap. A Slice is one holder's view of part of a block. Not thread-safe: block, slices and pool belong to one shard.
// A `turn` block is borrowed: whoever still holds it when the turn ends copies what it needs and lets go.
#pragma once

#include <ringwall/check.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

namespace ringwall::ring {

enum class Lifetime : std::uint8_t {
  turn,     // borrowed
  own,      // as long as somebody holds it
  backlog,  // the same, and it is what has to wait for a reader
};

class Block {
 public:
  using Release = void (*)(Block&);

  Block(std::byte* data, std::size_t capacity, Lifetime lifetime, Release release)
      : data_(data), capacity_(static_cast<std::uint32_t>(capacity)), lifetime_(lifetime), release_(release) {
    RINGWALL_CHECK(capacity <= UINT32_MAX);
  }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  void hold() { ++holders_; }
  void let_go() {
    RINGWALL_CHECK(holders_ > 0);
    if (--holders_ == 0) release_(*this);
  }

  [[nodiscard]] std::byte* data() const { return data_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  [[nodiscard]] std::uint32_t holders() const { return holders_; }
  [[nodiscard]] Lifetime lifetime() const { return lifetime_; }

 private:
  std::byte* data_;
  std::uint32_t capacity_;
  std::uint32_t holders_ = 0;
  Lifetime lifetime_;
  Release release_;
};

class Slice {
 public:
  Slice() = default;
  Slice(Block& block, std::span<std::byte> bytes)
      : block_(&block), data_(bytes.data()), bytes_(static_cast<std::uint32_t>(bytes.size())) {
    RINGWALL_CHECK(bytes.data() >= block.data() && bytes.data() + bytes.size() <= block.data() + block.capacity());
    block.hold();
  }
  Slice(Slice&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)),
        data_(std::exchange(other.data_, nullptr)),
        bytes_(std::exchange(other.bytes_, 0)) {}
  Slice& operator=(Slice&& other) noexcept {
    if (this != &other) {
      reset();
      block_ = std::exchange(other.block_, nullptr);
      data_ = std::exchange(other.data_, nullptr);
      bytes_ = std::exchange(other.bytes_, 0);
    }
    return *this;
  }
  ~Slice() { reset(); }

  void reset() {
    if (block_ != nullptr) std::exchange(block_, nullptr)->let_go();
    data_ = nullptr;
    bytes_ = 0;
  }

  // Another holder's view of `part`, which lies inside this one.
  [[nodiscard]] Slice share(std::span<const std::byte> part) const {
    RINGWALL_CHECK(block_ != nullptr && part.data() >= data_ && part.data() + part.size() <= data_ + bytes_);
    return {*block_, {data_ + (part.data() - data_), part.size()}};
  }

  void remove_prefix(std::size_t count) {
    RINGWALL_CHECK(count <= bytes_);
    data_ += count;
    bytes_ -= static_cast<std::uint32_t>(count);
  }

  [[nodiscard]] std::span<std::byte> bytes() const { return {data_, bytes_}; }
  [[nodiscard]] std::size_t size() const { return bytes_; }
  [[nodiscard]] bool empty() const { return bytes_ == 0; }
  [[nodiscard]] Block* block() const { return block_; }

 private:
  Block* block_ = nullptr;
  std::byte* data_ = nullptr;
  std::uint32_t bytes_ = 0;
};

}  // namespace ringwall::ring
