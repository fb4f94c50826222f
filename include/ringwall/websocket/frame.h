// frame.h: one WebSocket frame's header: read strictly, written minimally.
//
// Pure functions over bytes, any thread. A Violation is the peer's mistake: the connection is closed with its code.
// Source: RFC 6455, sections 5.2 (framing) and 7.4 (close codes). No extension is ever negotiated, so a reserved bit or
// an opcode outside the six is a violation.
#pragma once

#include <ringwall/websocket/mask.h>
#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string_view>

namespace ringwall::websocket {

enum class Opcode : std::uint8_t { continuation = 0x0, text = 0x1, binary = 0x2, close = 0x8, ping = 0x9, pong = 0xA };

constexpr bool is_control(Opcode opcode) { return (static_cast<std::uint8_t>(opcode) & 0x8) != 0; }

// Any 16-bit value may be carried (3000 to 4999 are the applications'); these are the ones with a meaning of their own.
enum class CloseCode : std::uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported_data = 1003,
  no_status = 1005,  // never on the wire: stands for a Close without a payload
  abnormal = 1006,   // never on the wire: the connection ended without a Close
  invalid_payload = 1007,
  policy_violation = 1008,
  message_too_big = 1009,
  mandatory_extension = 1010,
  internal_error = 1011,
  service_restart = 1012,
  try_again_later = 1013,
  bad_gateway = 1014,
  tls_handshake = 1015,  // never on the wire
};

// Whether a Close frame may carry the code: 1000 to 1003, 1007 to 1014 (IANA's registry), 3000 to 4999.
bool valid_on_wire(CloseCode code);

// `why` is a string literal.
struct Violation {
  CloseCode code = CloseCode::protocol_error;
  std::string_view why;
};

// Who wrote the frame: a client masks every frame, a server none.
enum class Sender : std::uint8_t { client, server };

inline constexpr std::size_t frame_header_bytes_max = 14;
inline constexpr std::size_t control_payload_bytes_max = 125;
inline constexpr std::size_t close_reason_bytes_max = 123;

struct FrameHeader {
  bool fin = false;
  Opcode opcode = Opcode::continuation;
  bool masked = false;
  std::uint8_t header_bytes = 0;
  MaskKey mask = {};  // zero when not masked
  std::uint64_t payload_bytes = 0;
};

// Reads the header at the start of `in`. Returns its size in bytes and fills `header`, or 0 when `in` ends before the
// header does (`header` is then unspecified). Refused as soon as the bytes show it: reserved bits, unknown opcodes,
// wrong masking, a control frame in fragments or over 125 bytes, a length longer than needed or over 2^63 - 1.
[[nodiscard]] std::expected<std::size_t, Violation> parse_frame_header(std::span<const std::byte> in, Sender sender,
                                                                       FrameHeader& header);

// Writes a header and returns its size. With a key the frame is announced as masked; the payload is the caller's to
// mask.
std::size_t write_frame_header(std::span<std::byte, frame_header_bytes_max> out, bool fin, Opcode opcode,
                               std::uint64_t payload_bytes, std::optional<MaskKey> key = std::nullopt);

// The size of the header that write_frame_header would write.
std::size_t frame_header_bytes(std::uint64_t payload_bytes, bool masked);

}  // namespace ringwall::websocket
