// buffer_group.h: a provided-buffer ring as the kernel sees it: buffers given, taken, and given back.
//
// While a buffer is the kernel's it is filled with a pattern, so that whoever still reads it reads garbage, and whoever
// writes to it is found out when it is taken next. A buffer given back twice, or one that never was of this ring, fails
// the run at once. Source: io_uring_register(2), IORING_REGISTER_PBUF_RING; io_ring_buffer_select of Linux 6.1.
#pragma once

#include <liburing.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace ringwall::sim {

class World;

class BufferGroup {
 public:
  BufferGroup(World& world, const io_uring_buf_reg& registration);
  BufferGroup(const BufferGroup&) = delete;
  BufferGroup& operator=(const BufferGroup&) = delete;

  // Looks at what was given (back) since the last time.
  void refresh();

  [[nodiscard]] bool is_empty() const { return head_ == seen_tail_; }
  [[nodiscard]] unsigned held() const { return held_; }  // by the program, not counting those it never gave

  // The next buffer, still the kernel's; there is one. take() then hands it out.
  [[nodiscard]] std::span<std::byte> next() const;
  [[nodiscard]] std::uint16_t take();

 private:
  struct Buffer {
    std::byte* data = nullptr;
    std::uint32_t bytes = 0;
    bool is_kernels = false;
  };
  [[nodiscard]] const io_uring_buf& entry(std::uint16_t index) const;

  World& world_;
  io_uring_buf_ring* ring_;
  std::vector<Buffer> buffers_;  // by id
  std::uint16_t head_ = 0;
  std::uint16_t seen_tail_ = 0;
  unsigned held_ = 0;
};

}  // namespace ringwall::sim
