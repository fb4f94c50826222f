// assembly.h: the memory of a message that did not arrive in one piece.
//
// The payload is collected unmasked, behind room for one frame header, so that the whole message leaves as a single
// masked frame with no further copy. Owned by one ClientMessages, and then, as an OwnedFrame, by whoever sends it.
// Grows only when told to, since every byte of capacity is charged to a budget that this file does not know.
#pragma once

#include <ringwall/websocket/frame.h>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>
#include <utility>

namespace ringwall::websocket {

// From malloc, so that growing can be left to realloc, which moves large blocks without copying them.
struct FreeBytes {
  void operator()(std::byte* bytes) const { std::free(bytes); }
};
using MallocBytes = std::unique_ptr<std::byte[], FreeBytes>;

// A frame ready to be sent, and its memory. Moves, never copies.
class OwnedFrame {
 public:
  OwnedFrame(MallocBytes memory, std::size_t capacity_bytes, std::span<std::byte> bytes)
      : memory_(std::move(memory)), capacity_bytes_(capacity_bytes), bytes_(bytes) {}

  std::span<std::byte> bytes() const { return bytes_; }

  // What the owner's budget gets back when the frame is destroyed.
  std::size_t capacity_bytes() const { return capacity_bytes_; }

 private:
  MallocBytes memory_;
  std::size_t capacity_bytes_;
  std::span<std::byte> bytes_;
};

class Assembly {
 public:
  // Bytes of memory held, the room for a frame header included; 0 when idle.
  std::size_t capacity_bytes() const { return capacity_bytes_; }
  std::size_t payload_bytes() const { return payload_bytes_; }
  std::span<const std::byte> payload() const;

  // How much append() takes before it needs a grow().
  std::size_t room_bytes() const;

  // Adds `bytes` of capacity. False: the machine has none, and nothing has changed.
  [[nodiscard]] bool grow(std::size_t bytes);

  // Unmasks and appends a part of a frame's payload, at most room_bytes(), whose first byte is at `offset` in it.
  void append(std::span<const std::byte> masked, MaskKey key, std::size_t offset);

  // Masks the payload again, puts a header in front and gives it away. The assembly is idle afterwards. The capacity is
  // at least frame_header_bytes_max, even for an empty payload.
  OwnedFrame seal(Opcode opcode, MaskKey key);

  void release();

 private:
  MallocBytes memory_;
  std::uint32_t capacity_bytes_ = 0;
  std::uint32_t payload_bytes_ = 0;
};

}  // namespace ringwall::websocket
