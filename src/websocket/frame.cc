#include <ringwall/websocket/frame.h>

#include <algorithm>

namespace ringwall::websocket {
namespace {

constexpr std::uint8_t fin_bit = 0x80;
constexpr std::uint8_t reserved_bits = 0x70;
constexpr std::uint8_t opcode_bits = 0x0F;
constexpr std::uint8_t masked_bit = 0x80;
constexpr std::uint8_t length_in_16_bits = 126;
constexpr std::uint8_t length_in_64_bits = 127;

std::unexpected<Violation> refuse(std::string_view why) {
  return std::unexpected(Violation{CloseCode::protocol_error, why});
}

bool is_known(std::uint8_t opcode) { return opcode <= 0x2 || (opcode >= 0x8 && opcode <= 0xA); }

std::size_t length_field_bytes(std::uint64_t payload_bytes) {
  return payload_bytes < length_in_16_bits ? 0 : payload_bytes <= 0xFFFF ? 2 : 8;
}

std::uint64_t read_big_endian(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (const std::byte byte : bytes) value = value << 8 | std::to_integer<std::uint8_t>(byte);
  return value;
}

}  // namespace

bool valid_on_wire(CloseCode code) {
  const auto number = static_cast<std::uint16_t>(code);
  return (number >= 1000 && number <= 1003) || (number >= 1007 && number <= 1014) || (number >= 3000 && number <= 4999);
}

std::expected<std::size_t, Violation> parse_frame_header(std::span<const std::byte> in, Sender sender,
                                                         FrameHeader& header) {
  if (in.empty()) return 0;
  const auto first = std::to_integer<std::uint8_t>(in[0]);
  if ((first & reserved_bits) != 0) return refuse("a reserved bit is set, but no extension was negotiated");
  if (!is_known(first & opcode_bits)) return refuse("unknown opcode");
  header.fin = (first & fin_bit) != 0;
  header.opcode = static_cast<Opcode>(first & opcode_bits);
  if (is_control(header.opcode) && !header.fin) return refuse("a control frame in fragments");

  if (in.size() < 2) return 0;
  const auto second = std::to_integer<std::uint8_t>(in[1]);
  header.masked = (second & masked_bit) != 0;
  if (sender == Sender::client && !header.masked) return refuse("a frame of a client is not masked");
  if (sender == Sender::server && header.masked) return refuse("a frame of a server is masked");
  const std::uint8_t length = second & static_cast<std::uint8_t>(~masked_bit);
  if (is_control(header.opcode) && length > control_payload_bytes_max) return refuse("a control frame over 125 bytes");

  const std::size_t field_bytes = length == length_in_64_bits ? 8 : length == length_in_16_bits ? 2 : 0;
  if (in.size() < 2 + field_bytes) return 0;
  header.payload_bytes = field_bytes == 0 ? length : read_big_endian(in.subspan(2, field_bytes));
  if (length_field_bytes(header.payload_bytes) != field_bytes) return refuse("a length in more bytes than it needs");
  if (header.payload_bytes >> 63 != 0) return refuse("a length over 2^63 - 1");

  header.header_bytes = static_cast<std::uint8_t>(2 + field_bytes + (header.masked ? header.mask.size() : 0));
  if (in.size() < header.header_bytes) return 0;
  header.mask = {};
  if (header.masked) std::ranges::copy(in.subspan(2 + field_bytes, header.mask.size()), header.mask.begin());
  return header.header_bytes;
}

std::size_t frame_header_bytes(std::uint64_t payload_bytes, bool masked) {
  return 2 + length_field_bytes(payload_bytes) + (masked ? sizeof(MaskKey) : 0);
}

std::size_t write_frame_header(std::span<std::byte, frame_header_bytes_max> out, bool fin, Opcode opcode,
                               std::uint64_t payload_bytes, std::optional<MaskKey> key) {
  const std::size_t field_bytes = length_field_bytes(payload_bytes);
  const auto length = field_bytes == 8   ? length_in_64_bits
                      : field_bytes == 2 ? length_in_16_bits
                                         : static_cast<std::uint8_t>(payload_bytes);
  out[0] = static_cast<std::byte>((fin ? fin_bit : 0) | static_cast<std::uint8_t>(opcode));
  out[1] = static_cast<std::byte>((key ? masked_bit : 0) | length);
  for (std::size_t i = 0; i < field_bytes; ++i) {
    out[2 + i] = static_cast<std::byte>(payload_bytes >> (8 * (field_bytes - 1 - i)));
  }
  if (key) std::ranges::copy(*key, out.begin() + static_cast<std::ptrdiff_t>(2 + field_bytes));
  return 2 + field_bytes + (key ? key->size() : 0);
}

}  // namespace ringwall::websocket
