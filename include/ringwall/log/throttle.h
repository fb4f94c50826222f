// throttle.h: of lines of one kind, so many a second; the rest is counted.
//
// A value, on one thread. Seconds begin with a line that is told.
#pragma once

#include <cstdint>
#include <utility>

namespace ringwall::log {

class Throttle {
 public:
  // Whether one more may be told now; if not, it counts as left out.
  [[nodiscard]] bool take(std::uint64_t now_ns, std::uint32_t lines_per_s) {
    if (!may_take(now_ns, lines_per_s)) {
      ++left_out_;
      return false;
    }
    if (is_over(now_ns)) {
      second_ns_ = now_ns;
      told_ = 0;
    }
    ++told_;
    return true;
  }
  [[nodiscard]] bool may_take(std::uint64_t now_ns, std::uint32_t lines_per_s) const {
    return (is_over(now_ns) ? 0 : told_) < lines_per_s;
  }

  // Since it was last asked.
  [[nodiscard]] std::uint64_t take_left_out() { return std::exchange(left_out_, 0); }

 private:
  [[nodiscard]] bool is_over(std::uint64_t now_ns) const { return told_ == 0 || now_ns >= second_ns_ + 1'000'000'000; }

  std::uint64_t second_ns_ = 0;
  std::uint64_t left_out_ = 0;
  std::uint32_t told_ = 0;  // in the second
};

}  // namespace ringwall::log
