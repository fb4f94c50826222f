// budget.h: so many bytes and no more. One shard's, or one address's share of it; not thread-safe.
#pragma once

#include <ringwall/check.h>

#include <cstddef>
#include <cstdint>

namespace ringwall::connection {

class Budget {
 public:
  explicit Budget(std::size_t bytes_max) : bytes_max_(bytes_max) {}
  Budget(const Budget&) = delete;
  Budget& operator=(const Budget&) = delete;
  ~Budget() { RINGWALL_CHECK(used_ == 0); }

  [[nodiscard]] bool take(std::size_t bytes) {
    if (bytes > bytes_max_ - used_) {
      ++times_reached_;
      return false;
    }
    used_ += bytes;
    if (used_ > used_most_) used_most_ = used_;
    return true;
  }
  void give_back(std::size_t bytes) {
    RINGWALL_CHECK(bytes <= used_);
    used_ -= bytes;
  }

  [[nodiscard]] std::size_t used() const { return used_; }
  [[nodiscard]] std::size_t used_most() const { return used_most_; }
  [[nodiscard]] std::uint64_t times_reached() const { return times_reached_; }

 private:
  const std::size_t bytes_max_;
  std::size_t used_ = 0;
  std::size_t used_most_ = 0;
  std::uint64_t times_reached_ = 0;
};

}  // namespace ringwall::connection
