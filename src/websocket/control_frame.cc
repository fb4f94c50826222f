#include <ringwall/check.h>
#include <ringwall/websocket/control_frame.h>
#include <ringwall/websocket/mask.h>

#include <algorithm>

#include "utf8.h"

namespace ringwall::websocket {
namespace {

// The first `bytes_max` bytes of a UTF-8 text, or a little less: not the beginning of a character without its end.
std::string_view cut_between_characters(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  std::size_t end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end);
}

}  // namespace

ControlFrame::ControlFrame(Opcode opcode, std::span<const std::byte> payload, std::optional<MaskKey> key) {
  RINGWALL_CHECK(payload.size() <= control_payload_bytes_max);
  const std::size_t header_bytes =
      write_frame_header(std::span(bytes_).first<frame_header_bytes_max>(), true, opcode, payload.size(), key);
  apply_mask(std::span(bytes_).subspan(header_bytes, payload.size()), payload, key.value_or(MaskKey{}), 0);
  size_ = static_cast<std::uint8_t>(header_bytes + payload.size());
}

ControlFrame ControlFrame::ping(std::span<const std::byte> payload, std::optional<MaskKey> key) {
  return ControlFrame(Opcode::ping, payload, key);
}

ControlFrame ControlFrame::pong(std::span<const std::byte> payload, std::optional<MaskKey> key) {
  return ControlFrame(Opcode::pong, payload, key);
}

ControlFrame ControlFrame::close(CloseCode code, std::string_view reason, std::optional<MaskKey> key) {
  if (!valid_on_wire(code)) return ControlFrame(Opcode::close, {}, key);
  const auto number = static_cast<std::uint16_t>(code);
  const auto text = std::as_bytes(std::span(cut_between_characters(reason, close_reason_bytes_max)));
  std::array<std::byte, control_payload_bytes_max> payload;
  payload[0] = static_cast<std::byte>(number >> 8);
  payload[1] = static_cast<std::byte>(number & 0xFF);
  std::ranges::copy(text, payload.begin() + 2);
  return ControlFrame(Opcode::close, std::span(payload).first(2 + text.size()), key);
}

std::expected<ClosePayload, Violation> parse_close_payload(std::span<const std::byte> payload) {
  if (payload.empty()) return ClosePayload{};
  const auto refuse = [](CloseCode code, std::string_view why) { return std::unexpected(Violation{code, why}); };
  if (payload.size() < 2) return refuse(CloseCode::protocol_error, "a Close with half a code");
  const auto code = static_cast<CloseCode>(std::to_integer<unsigned>(payload[0]) << 8 |  //
                                           std::to_integer<unsigned>(payload[1]));
  if (!valid_on_wire(code)) return refuse(CloseCode::protocol_error, "a Close with a code that may not be sent");
  const auto reason = payload.subspan(2);
  if (!is_utf8(reason)) return refuse(CloseCode::invalid_payload, "a Close with a reason that is not UTF-8");
  return ClosePayload{code, std::string_view(reinterpret_cast<const char*>(reason.data()), reason.size())};
}

}  // namespace ringwall::websocket
