// lane.h: lines on their way from one thread to the writer: a ring of bytes with a bound.
//
// One thread pushes and one pops, neither ever waits for the other: where there is no room the line is dropped and
// counted. dropped() may be asked by any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace ringwall::log {

class Lane {
 public:
  // Some 200 lines: far more than come before the writer wakes.
  static constexpr std::size_t bytes_max = 64 * 1024;

  Lane() : bytes_(std::make_unique<char[]>(bytes_max)) {}
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  // False: it was dropped.
  bool push(std::string_view line);
  // Appends the oldest line to `out`. False: there is none.
  [[nodiscard]] bool pop(std::string& out);

  [[nodiscard]] std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  void copy_in(std::size_t at, std::string_view bytes);
  void copy_out(std::size_t at, char* to, std::size_t bytes) const;

  static constexpr std::size_t cache_line_bytes = 64;

  std::unique_ptr<char[]> bytes_;  // each line after its length
  // Bytes that were ever pushed, and popped: the difference is what is here.
  alignas(cache_line_bytes) std::atomic<std::uint64_t> pushed_ = 0;
  std::atomic<std::uint64_t> dropped_ = 0;
  alignas(cache_line_bytes) std::atomic<std::uint64_t> popped_ = 0;
};

}  // namespace ringwall::log
