#include <ringwall/connection/arena.h>

#include <algorithm>

namespace ringwall::connection {

struct Arena::ArenaBlock : ring::Block {
  explicit ArenaBlock(Arena& arena)
      : Block(new std::byte[block_bytes], block_bytes, ring::Lifetime::turn, &Arena::release), owner(arena) {}
  ArenaBlock(const ArenaBlock&) = delete;
  ArenaBlock& operator=(const ArenaBlock&) = delete;
  ~ArenaBlock() { delete[] data(); }

  Arena& owner;
};

Arena::Arena(std::size_t bytes_soft_max) : blocks_soft_max_(bytes_soft_max / block_bytes) {}

Arena::~Arena() {
  if (current_ != nullptr) current_->let_go();
  RINGWALL_CHECK(free_.size() == all_.size());
}

void Arena::release(ring::Block& block) {
  auto& released = static_cast<ArenaBlock&>(block);
  released.owner.free_.push_back(&released);
}

void Arena::next_block() {
  if (current_ != nullptr) current_->let_go();
  if (free_.empty()) {
    all_.push_back(std::make_unique<ArenaBlock>(*this));
    free_.reserve(all_.size());
    free_.push_back(all_.back().get());
  }
  current_ = free_.back();
  free_.pop_back();
  current_->hold();
  used_ = 0;
}

std::span<std::byte> Arena::reserve(std::size_t bytes) {
  RINGWALL_CHECK(bytes <= block_bytes);
  if (current_ != nullptr && current_->holders() == 1) used_ = 0;
  if (current_ == nullptr || block_bytes - used_ < bytes) next_block();
  return {current_->data() + used_, bytes};
}

ring::Slice Arena::commit(std::size_t bytes) {
  RINGWALL_CHECK(current_ != nullptr && bytes <= block_bytes - used_);
  ring::Slice slice(*current_, {current_->data() + used_, bytes});
  used_ += bytes;
  return slice;
}

ring::Slice Arena::copy(std::span<const std::byte> bytes) {
  std::ranges::copy(bytes, reserve(bytes.size()).begin());
  return commit(bytes.size());
}

}  // namespace ringwall::connection
