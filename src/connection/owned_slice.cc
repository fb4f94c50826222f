#include <ringwall/connection/owned_slice.h>

#include <algorithm>
#include <memory>

namespace ringwall::connection {

namespace {

class BacklogMemory {
 public:
  BacklogMemory(std::size_t bytes, Budget& budget)
      : memory_(new std::byte[bytes]), bytes_(bytes), budget_(&budget) {}
  BacklogMemory(BacklogMemory&& other) noexcept
      : memory_(std::move(other.memory_)), bytes_(other.bytes_), budget_(std::exchange(other.budget_, nullptr)) {}
  BacklogMemory& operator=(BacklogMemory&&) = delete;
  ~BacklogMemory() {
    if (budget_ != nullptr) budget_->give_back(bytes_);
  }

  [[nodiscard]] std::span<std::byte> bytes() const { return {memory_.get(), bytes_}; }

 private:
  std::unique_ptr<std::byte[]> memory_;
  std::size_t bytes_;
  Budget* budget_;
};

}  // namespace

std::optional<ring::Slice> copy_to_backlog(std::span<const ring::Slice> pieces, Budget& budget) {
  std::size_t total = 0;
  for (const ring::Slice& piece : pieces) total += piece.size();
  if (!budget.take(total)) return std::nullopt;
  BacklogMemory memory(total, budget);
  const std::span<std::byte> bytes = memory.bytes();
  auto to = bytes.begin();
  for (const ring::Slice& piece : pieces) to = std::ranges::copy(piece.bytes(), to).out;
  return make_owned_slice(std::move(memory), bytes);
}

}  // namespace ringwall::connection
