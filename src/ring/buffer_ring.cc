#include <ringwall/ring/buffer_ring.h>

#include <sys/mman.h>

#include <atomic>
#include <bit>
#include <memory>
#include <new>

namespace ringwall::ring {

struct BufferRing::Buffer : Block {
  Buffer(std::byte* data, std::size_t capacity, BufferRing& owner, std::uint16_t number)
      : Block(data, capacity, Lifetime::turn, &BufferRing::release), ring(owner), id(number) {}

  BufferRing& ring;
  std::uint16_t id;
};

namespace {

std::byte* map_pages(std::size_t bytes) {
  void* pages = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  RINGWALL_CHECK(pages != MAP_FAILED);
  return static_cast<std::byte*>(pages);
}

}  // namespace

BufferRing::BufferRing(Backend& backend, std::uint16_t group, std::uint16_t count, std::uint32_t bytes)
    : group_(group), count_(count), bytes_(bytes) {
  RINGWALL_CHECK(std::has_single_bit(count) && count <= 32768);
  ring_ = reinterpret_cast<io_uring_buf_ring*>(map_pages(count * sizeof(io_uring_buf)));
  memory_ = map_pages(std::size_t{count} * bytes);
  blocks_ = static_cast<std::byte*>(::operator new(count * sizeof(Buffer)));
  for (std::uint16_t id = 0; id < count; ++id) {
    new (blocks_ + id * sizeof(Buffer)) Buffer(memory_ + std::size_t{id} * bytes, bytes, *this, id);
  }
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(ring_);
  registration.ring_entries = count;
  registration.bgid = group;
  if (const int result = backend.register_buffer_ring(registration); result < 0) {
    error_ = -result;
    return;
  }
  ring_->tail = 0;
  for (std::uint16_t id = 0; id < count; ++id) give_back(id);
}

// The kernel lets go of the memory when the ring's descriptor is closed, which the shard does first.
BufferRing::~BufferRing() {
  RINGWALL_CHECK(error_ != 0 || available_ == count_);
  ::operator delete(blocks_);
  munmap(memory_, std::size_t{count_} * bytes_);
  munmap(ring_, count_ * sizeof(io_uring_buf));
}

Slice BufferRing::take(std::uint16_t id, std::size_t bytes) {
  RINGWALL_CHECK(id < count_ && bytes <= bytes_);
  auto& buffer = *std::launder(reinterpret_cast<Buffer*>(blocks_ + id * sizeof(Buffer)));
  RINGWALL_CHECK(buffer.holders() == 0);
  --available_;
  return {buffer, {buffer.data(), bytes}};
}

bool BufferRing::owns(const Block& block) const {
  const auto* at = reinterpret_cast<const std::byte*>(&block);
  return at >= blocks_ && at < blocks_ + count_ * sizeof(Buffer);
}

void BufferRing::release(Block& block) {
  auto& buffer = static_cast<Buffer&>(block);
  buffer.ring.give_back(buffer.id);
}

void BufferRing::give_back(std::uint16_t id) {
  const auto tail = ring_->tail;
  io_uring_buf& entry = ring_->bufs[tail & (count_ - 1)];
  entry.addr = reinterpret_cast<std::uintptr_t>(memory_ + std::size_t{id} * bytes_);
  entry.len = bytes_;
  entry.bid = id;
  std::atomic_ref(ring_->tail).store(static_cast<std::uint16_t>(tail + 1), std::memory_order_release);
  ++available_;
}

}  // namespace ringwall::ring
