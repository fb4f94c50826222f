// budget.h: so many bytes and no more, in all and for each address. One shard's; not thread-safe.
#pragma once

#include <ringwall/check.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>

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

  [[nodiscard]] std::size_t bytes_max() const { return bytes_max_; }
  [[nodiscard]] std::size_t used() const { return used_; }
  [[nodiscard]] std::size_t used_most() const { return used_most_; }
  [[nodiscard]] std::uint64_t times_reached() const { return times_reached_; }

 private:
  const std::size_t bytes_max_;
  std::size_t used_ = 0;
  std::size_t used_most_ = 0;
  std::uint64_t times_reached_ = 0;
};

// Whose bytes they are: an IPv6 address in network order, IPv4 mapped; or what several addresses are counted as.
using ShareKey = std::array<std::uint8_t, 16>;

// A budget of which no one address may have more than a part, so that who hoards leaves something for the others.
class SharedBudget {
 public:
  SharedBudget(std::size_t bytes_max, std::size_t bytes_per_share_max)
      : total_(bytes_max), bytes_per_share_max_(bytes_per_share_max) {}

  [[nodiscard]] bool take(const ShareKey& key, std::size_t bytes) {
    if (bytes == 0) return true;
    const std::size_t used = used_by(key);
    if (bytes > bytes_per_share_max_ - used) {
      ++times_share_reached_;
      return false;
    }
    if (!total_.take(bytes)) return false;
    used_by_[key] = used + bytes;
    return true;
  }
  void give_back(const ShareKey& key, std::size_t bytes) {
    if (bytes == 0) return;
    total_.give_back(bytes);
    const auto at = used_by_.find(key);
    RINGWALL_CHECK(at != used_by_.end() && at->second >= bytes);
    at->second -= bytes;
    if (at->second == 0) used_by_.erase(at);
  }

  [[nodiscard]] std::size_t used_by(const ShareKey& key) const {
    const auto at = used_by_.find(key);
    return at == used_by_.end() ? 0 : at->second;
  }

  [[nodiscard]] std::size_t bytes_max() const { return total_.bytes_max(); }
  [[nodiscard]] std::size_t used() const { return total_.used(); }
  [[nodiscard]] std::size_t used_most() const { return total_.used_most(); }
  [[nodiscard]] std::uint64_t times_reached() const { return total_.times_reached() + times_share_reached_; }

 private:
  Budget total_;
  const std::size_t bytes_per_share_max_;
  std::map<ShareKey, std::size_t> used_by_;
  std::uint64_t times_share_reached_ = 0;
};

}  // namespace ringwall::connection
