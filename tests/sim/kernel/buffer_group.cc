#include "sim/kernel/buffer_group.h"

#include "sim/kernel/world.h"

#include <ringwall/check.h>

#include <algorithm>
#include <atomic>

namespace ringwall::sim {

namespace {

constexpr std::byte kernels_pattern{0xb5};

}  // namespace

BufferGroup::BufferGroup(World& world, const io_uring_buf_reg& registration)
    : world_(world),
      ring_(reinterpret_cast<io_uring_buf_ring*>(static_cast<std::uintptr_t>(registration.ring_addr))),
      buffers_(registration.ring_entries) {}

const io_uring_buf& BufferGroup::entry(std::uint16_t index) const { return ring_->bufs[index & (buffers_.size() - 1)]; }

void BufferGroup::refresh() {
  const std::uint16_t tail = std::atomic_ref(ring_->tail).load(std::memory_order_acquire);
  if (static_cast<std::uint16_t>(tail - head_) > buffers_.size()) world_.fail("a buffer ring's tail overtook its head");
  for (; seen_tail_ != tail; ++seen_tail_) {
    const io_uring_buf& given = entry(seen_tail_);
    if (given.bid >= buffers_.size()) world_.fail("a buffer with an id beyond its ring was given to the kernel");
    Buffer& buffer = buffers_[given.bid];
    auto* data = reinterpret_cast<std::byte*>(static_cast<std::uintptr_t>(given.addr));
    if (buffer.data == nullptr) {
      buffer = {data, given.len, false};
    } else {
      --held_;
    }
    if (buffer.is_kernels) world_.fail("a buffer was given back twice");
    if (buffer.data != data || buffer.bytes != given.len) world_.fail("a buffer came back as another");
    buffer.is_kernels = true;
    std::ranges::fill(std::span(data, given.len), kernels_pattern);
  }
}

std::span<std::byte> BufferGroup::next() const {
  RINGWALL_CHECK(!is_empty());
  const Buffer& buffer = buffers_[entry(head_).bid];
  return {buffer.data, buffer.bytes};
}

std::uint16_t BufferGroup::take() {
  RINGWALL_CHECK(!is_empty());
  const std::uint16_t id = entry(head_++).bid;
  Buffer& buffer = buffers_[id];
  RINGWALL_CHECK(buffer.is_kernels);
  const auto is_pattern = [](std::byte byte) { return byte == kernels_pattern; };
  if (!std::all_of(buffer.data, buffer.data + buffer.bytes, is_pattern)) {
    world_.fail("a buffer was written to after it had been given back");
  }
  buffer.is_kernels = false;
  ++held_;
  return id;
}

}  // namespace ringwall::sim
