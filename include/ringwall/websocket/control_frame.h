// control_frame.h: pings, pongs and closes of our own, and what a peer's Close says.
//
// A ControlFrame is a value that holds a whole frame, header and payload, ready to send. With a key it is masked: for
// the node. Without: for a client. Source: RFC 6455, section 5.5.
#pragma once

#include <ringwall/websocket/frame.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string_view>

namespace ringwall::websocket {

class ControlFrame {
 public:
  // `payload` is at most 125 bytes: that of a ping to be answered is.
  static ControlFrame ping(std::span<const std::byte> payload, std::optional<MaskKey> key = std::nullopt);
  static ControlFrame pong(std::span<const std::byte> payload, std::optional<MaskKey> key = std::nullopt);

  // A code that may not stand on the wire (no_status: the peer gave none; abnormal) makes a Close without payload, so a
  // code that was received can be passed on as it is. `reason` is UTF-8; past 123 bytes it is cut between characters.
  static ControlFrame close(CloseCode code, std::string_view reason, std::optional<MaskKey> key = std::nullopt);

  std::span<const std::byte> bytes() const { return std::span(bytes_).first(size_); }

 private:
  ControlFrame(Opcode opcode, std::span<const std::byte> payload, std::optional<MaskKey> key);

  std::uint8_t size_ = 0;
  std::array<std::byte, 2 + 4 + control_payload_bytes_max> bytes_;
};

// `reason` borrows the payload it was read from.
struct ClosePayload {
  CloseCode code = CloseCode::no_status;
  std::string_view reason;
};

// Reads the (unmasked) payload of a Close: empty is no_status. A single byte or a code that may not stand on the wire
// is a protocol_error, a reason that is not UTF-8 is invalid_payload.
[[nodiscard]] std::expected<ClosePayload, Violation> parse_close_payload(std::span<const std::byte> payload);

}  // namespace ringwall::websocket
