// byte_queue.h: bytes in order, in at the back and out at the front.
#pragma once

#include <ringwall/check.h>

#include <cstddef>
#include <span>
#include <vector>

namespace ringwall::sim {

class ByteQueue {
 public:
  void append(std::span<const std::byte> bytes) {
    if (taken_ > 0 && taken_ >= bytes_.size() / 2) {
      bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(taken_));
      taken_ = 0;
    }
    bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
  }

  [[nodiscard]] std::span<const std::byte> front(std::size_t count) const {
    RINGWALL_CHECK(count <= size());
    return {bytes_.data() + taken_, count};
  }

  void drop(std::size_t count) {
    RINGWALL_CHECK(count <= size());
    taken_ += count;
    if (taken_ == bytes_.size()) clear();
  }

  void clear() {
    bytes_.clear();
    taken_ = 0;
  }

  [[nodiscard]] std::size_t size() const { return bytes_.size() - taken_; }
  [[nodiscard]] bool empty() const { return size() == 0; }

 private:
  std::vector<std::byte> bytes_;
  std::size_t taken_ = 0;
};

}  // namespace ringwall::sim
