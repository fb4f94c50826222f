#include "sim/session/frames.h"

namespace ringwall::sim {

namespace {

void append_number(std::string& text, std::uint64_t value, unsigned bytes) {
  while (bytes-- > 0) text += static_cast<char>(value >> (8 * bytes));
}

std::uint64_t number_at(const std::string& text, std::size_t at, unsigned bytes) {
  std::uint64_t value = 0;
  for (unsigned index = 0; index < bytes; ++index) value = value << 8 | static_cast<unsigned char>(text[at + index]);
  return value;
}

void mask(std::string& payload, std::uint32_t key) {
  for (std::size_t index = 0; index < payload.size(); ++index) {
    payload[index] = static_cast<char>(payload[index] ^ static_cast<char>(key >> (24 - 8 * (index % 4))));
  }
}

}  // namespace

std::string frame_text(unsigned opcode, std::string_view payload, std::uint32_t key, bool fin) {
  std::string text;
  text += static_cast<char>((fin ? 0x80 : 0) | opcode);
  const unsigned masked = key != 0 ? 0x80 : 0;
  if (payload.size() < 126) {
    text += static_cast<char>(masked | payload.size());
  } else if (payload.size() < 65536) {
    text += static_cast<char>(masked | 126);
    append_number(text, payload.size(), 2);
  } else {
    text += static_cast<char>(masked | 127);
    append_number(text, payload.size(), 8);
  }
  std::string body(payload);
  if (key != 0) {
    append_number(text, key, 4);
    mask(body, key);
  }
  return text + body;
}

std::string close_payload(unsigned code, std::string_view reason) {
  std::string payload;
  append_number(payload, code, 2);
  return payload.append(reason);
}

unsigned close_code(std::string_view payload) {
  if (payload.size() < 2) return 1005;
  return static_cast<unsigned>(number_at(std::string(payload.substr(0, 2)), 0, 2));
}

std::optional<Frame> take_frame(std::string& bytes, bool masked, bool& broken) {
  if (bytes.size() < 2) return std::nullopt;
  const auto first = static_cast<unsigned char>(bytes[0]);
  const auto second = static_cast<unsigned char>(bytes[1]);
  Frame frame{.fin = (first & 0x80) != 0, .opcode = first & 0x0fU, .payload = {}};
  const bool control = (frame.opcode & 8) != 0;
  std::uint64_t length = second & 0x7f;
  std::size_t at = 2;
  if (length >= 126) {
    const unsigned width = length == 126 ? 2 : 8;
    if (bytes.size() < at + width) return std::nullopt;
    length = number_at(bytes, at, width);
    at += width;
  }
  if ((first & 0x70) != 0 || ((second & 0x80) != 0) != masked || (control && (!frame.fin || length > 125)) ||
      (frame.opcode > 2 && frame.opcode != 8 && frame.opcode != 9 && frame.opcode != 10)) {
    broken = true;
    return std::nullopt;
  }
  std::uint32_t key = 0;
  if (masked) {
    if (bytes.size() < at + 4) return std::nullopt;
    key = static_cast<std::uint32_t>(number_at(bytes, at, 4));
    at += 4;
  }
  if (bytes.size() - at < length) return std::nullopt;
  frame.payload = bytes.substr(at, length);
  if (masked) mask(frame.payload, key);
  bytes.erase(0, at + length);
  return frame;
}

}  // namespace ringwall::sim
