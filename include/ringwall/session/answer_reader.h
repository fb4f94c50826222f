// answer_reader.h: the head and the tail of each message of the node, taken from the pieces that pass.
//
// Owner: one relay, on its shard's thread. A message that passes in one piece is looked at where it is. Of one in
// pieces the first bytes and the last are copied, into a block that is there only while the message is open: at most
// `kept_bytes_max` of each piece, whatever its size.
#pragma once

#include <ringwall/limits.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>

namespace ringwall::session {

class AnswerReader {
 public:
  // The head, and behind it the last bytes of what follows.
  static constexpr std::size_t kept_bytes_max = rpc::answer_head_bytes_max + rpc::answer_tail_bytes_max;

  // As MessageTap::on_payload() tells it. At a message's end `on_message(head, tail)` is called, as string views for
  // classify_answer() that are good until it returns: the tail is empty when the head is all, and may overlap it
  // otherwise. It may destroy this object.
  template <typename OnMessage>
  void add(std::span<const std::byte> piece, bool ends_message, const OnMessage& on_message) {
    if (ends_message && kept_ == nullptr) {
      tell({reinterpret_cast<const char*>(piece.data()), piece.size()}, on_message);
      return;
    }
    if (!piece.empty()) keep(piece);
    if (!ends_message) return;
    const std::unique_ptr<const Kept> kept = std::move(kept_);
    tell({kept->bytes.data(), kept->size}, on_message);
  }

  // Of the open message; 0 when there is none, or nothing of it has passed.
  std::size_t bytes_held() const { return kept_ == nullptr ? 0 : sizeof(Kept); }

 private:
  struct Kept {
    std::size_t size = 0;
    std::array<char, kept_bytes_max> bytes;
  };

  template <typename OnMessage>
  static void tell(std::string_view text, const OnMessage& on_message) {
    if (text.size() <= rpc::answer_head_bytes_max) return on_message(text, std::string_view());
    on_message(text.substr(0, rpc::answer_head_bytes_max), text.substr(text.size() - rpc::answer_tail_bytes_max));
  }

  void keep(std::span<const std::byte> piece);

  std::unique_ptr<Kept> kept_;
};

static_assert(rpc::answer_tail_bytes_max <= rpc::answer_head_bytes_max);

}  // namespace ringwall::session
