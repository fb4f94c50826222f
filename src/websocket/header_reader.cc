#include <ringwall/websocket/header_reader.h>

#include <algorithm>

namespace ringwall::websocket {

std::expected<bool, Violation> HeaderReader::read(std::span<const std::byte>& in, Sender sender, FrameHeader& header) {
  if (kept_bytes_ == 0) {
    const auto size = parse_frame_header(in, sender, header);
    if (!size) return std::unexpected(size.error());
    if (*size != 0) {
      in = in.subspan(*size);
      return true;
    }
  }
  const std::size_t taken = std::min(in.size(), kept_.size() - kept_bytes_);
  std::ranges::copy(in.first(taken), kept_.begin() + kept_bytes_);
  const auto size = parse_frame_header(std::span(kept_).first(kept_bytes_ + taken), sender, header);
  if (!size) return std::unexpected(size.error());
  if (*size == 0) {
    kept_bytes_ = static_cast<std::uint8_t>(kept_bytes_ + taken);
    in = in.subspan(taken);
    return false;
  }
  in = in.subspan(*size - kept_bytes_);
  kept_bytes_ = 0;
  return true;
}

std::span<const std::byte> HeaderReader::joined(const FrameHeader& header) const {
  return std::span(kept_).first(header.header_bytes);
}

std::expected<void, Violation> check_sequence(const FrameHeader& header, bool message_open) {
  const bool continues = header.opcode == Opcode::continuation;
  if (continues == message_open) return {};
  return std::unexpected(Violation{CloseCode::protocol_error, continues ? "a continuation of no message"
                                                                        : "a message within an unfinished message"});
}

}  // namespace ringwall::websocket
