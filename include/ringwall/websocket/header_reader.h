// header_reader.h: reads frame headers from a stream that may be cut anywhere.
//
// Keeps the at most 13 bytes of a header whose end has not come. Owned by the reader of one direction of a connection.
#pragma once

#include <ringwall/websocket/frame.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>

namespace ringwall::websocket {

class HeaderReader {
 public:
  // True: a header was read, and its bytes are gone from `in`. False: `in` was used up, more is needed.
  [[nodiscard]] std::expected<bool, Violation> read(std::span<const std::byte>& in, Sender sender, FrameHeader& header);

  // True exactly when the start of a header is kept.
  bool inside_header() const { return kept_bytes_ != 0; }

  // The header read last, if its bytes came in more than one piece; valid until the next read().
  std::span<const std::byte> joined(const FrameHeader& header) const;

 private:
  std::array<std::byte, frame_header_bytes_max> kept_;
  std::uint8_t kept_bytes_ = 0;
};

// Refuses a continuation without a message to continue, and a new message within an unfinished one.
[[nodiscard]] std::expected<void, Violation> check_sequence(const FrameHeader& header, bool message_open);

}  // namespace ringwall::websocket
