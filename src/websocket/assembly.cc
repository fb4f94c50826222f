#include <ringwall/check.h>
#include <ringwall/websocket/assembly.h>
#include <ringwall/websocket/mask.h>

#include <array>
#include <cstring>
#include <limits>

namespace ringwall::websocket {

std::span<const std::byte> Assembly::payload() const {
  if (memory_ == nullptr) return {};
  return {memory_.get() + frame_header_bytes_max, payload_bytes_};
}

std::size_t Assembly::room_bytes() const {
  const std::size_t used_bytes = frame_header_bytes_max + payload_bytes_;
  return capacity_bytes_ > used_bytes ? capacity_bytes_ - used_bytes : 0;
}

bool Assembly::grow(std::size_t bytes) {
  RINGWALL_CHECK(bytes <= std::numeric_limits<std::uint32_t>::max() - capacity_bytes_);
  void* const grown = std::realloc(memory_.get(), capacity_bytes_ + bytes);
  if (grown == nullptr) return false;
  static_cast<void>(memory_.release());
  memory_.reset(static_cast<std::byte*>(grown));
  capacity_bytes_ += static_cast<std::uint32_t>(bytes);
  return true;
}

void Assembly::append(std::span<const std::byte> masked, MaskKey key, std::size_t offset) {
  RINGWALL_CHECK(masked.size() <= room_bytes());
  if (masked.empty()) return;
  apply_mask({memory_.get() + frame_header_bytes_max + payload_bytes_, masked.size()}, masked, key, offset);
  payload_bytes_ += static_cast<std::uint32_t>(masked.size());
}

OwnedFrame Assembly::seal(Opcode opcode, MaskKey key) {
  RINGWALL_CHECK(capacity_bytes_ >= frame_header_bytes_max);
  std::array<std::byte, frame_header_bytes_max> header;
  const std::size_t header_bytes = write_frame_header(header, true, opcode, payload_bytes_, key);
  std::byte* const payload = memory_.get() + frame_header_bytes_max;
  std::memcpy(payload - header_bytes, header.data(), header_bytes);
  apply_mask({payload, payload_bytes_}, key, 0);
  const std::span<std::byte> frame(payload - header_bytes, header_bytes + payload_bytes_);
  const std::size_t capacity_bytes = capacity_bytes_;
  capacity_bytes_ = 0;
  payload_bytes_ = 0;
  return OwnedFrame(std::move(memory_), capacity_bytes, frame);
}

void Assembly::release() {
  memory_.reset();
  capacity_bytes_ = 0;
  payload_bytes_ = 0;
}

}  // namespace ringwall::websocket
