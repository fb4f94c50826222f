#include <ringwall/session/answer_reader.h>

#include <algorithm>
#include <cstring>

namespace ringwall::session {

// Once it is full, what is behind the head is the last bytes so far.
void AnswerReader::keep(std::span<const std::byte> piece) {
  if (kept_ == nullptr) kept_ = std::make_unique_for_overwrite<Kept>();
  char* const bytes = kept_->bytes.data();
  std::size_t& size = kept_->size;
  const std::size_t fits = std::min(piece.size(), kept_bytes_max - size);
  std::memcpy(bytes + size, piece.data(), fits);
  size += fits;
  const auto rest = piece.subspan(fits);
  const auto last = rest.last(std::min(rest.size(), rpc::answer_tail_bytes_max));
  if (last.empty()) return;
  std::memmove(bytes + rpc::answer_head_bytes_max, bytes + rpc::answer_head_bytes_max + last.size(),
               rpc::answer_tail_bytes_max - last.size());
  std::memcpy(bytes + kept_bytes_max - last.size(), last.data(), last.size());
}

}  // namespace ringwall::session
