#include <ringwall/connection/owned_slice.h>

#include <algorithm>
#include <memory>

namespace ringwall::connection {

namespace {

class BacklogMemory {
 public:
  BacklogMemory(std::size_t bytes, SharedBudget& budget, const ShareKey& key)
      : memory_(new std::byte[bytes]), bytes_(bytes), budget_(&budget), key_(key) {}
  BacklogMemory(BacklogMemory&& other) noexcept
      : memory_(std::move(other.memory_)),
        bytes_(other.bytes_),
        budget_(std::exchange(other.budget_, nullptr)),
        key_(other.key_) {}
  BacklogMemory& operator=(BacklogMemory&&) = delete;
  ~BacklogMemory() {
    if (budget_ != nullptr) budget_->give_back(key_, bytes_);
  }

  [[nodiscard]] std::span<std::byte> bytes() const { return {memory_.get(), bytes_}; }

 private:
  std::unique_ptr<std::byte[]> memory_;
  std::size_t bytes_;
  SharedBudget* budget_;
  ShareKey key_;
};

}  // namespace

std::optional<ring::Slice> copy_to_backlog(std::span<const ring::Slice> pieces, SharedBudget& budget,
                                           const ShareKey& key) {
  std::size_t total = 0;
  for (const ring::Slice& piece : pieces) total += piece.size();
  if (!budget.take(key, total)) return std::nullopt;
  BacklogMemory memory(total, budget, key);
  const std::span<std::byte> bytes = memory.bytes();
  auto to = bytes.begin();
  for (const ring::Slice& piece : pieces) to = std::ranges::copy(piece.bytes(), to).out;
  return make_owned_slice(std::move(memory), bytes, ring::Lifetime::backlog);
}

}  // namespace ringwall::connection
