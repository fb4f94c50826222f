// reference.h: what RFC 6455 makes of a whole stream of bytes, written for clearness alone.
//
// The codec reads streams cut anywhere and copies as little as it can; this reads a string from end to end, decodes one
// thing after the other, and shares no code with it. Unit tests and fuzz targets compare the two.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace reference {

// One thing that a reader reports. Relayed runs that touch are one.
struct Seen {
  std::string kind;
  unsigned number = 0;  // opcode of a message, code of a close or violation
  std::string bytes;
  bool operator==(const Seen&) const = default;
};

inline std::ostream& operator<<(std::ostream& out, const Seen& seen) {
  out << seen.kind << ' ' << seen.number << ' ' << seen.bytes.size() << " bytes";
  return seen.bytes.size() <= 64 ? out << " \"" << seen.bytes << '"' : out;
}

struct Outcome {
  std::vector<Seen> seen;
  bool inside_message = false;          // see ClientMessages and NodeFrames
  bool at_frame_boundary = false;       // of the node's stream
  unsigned messages = 0;                // of the node's stream
  std::vector<std::string> payloads{};  // of the node's messages, each whole
  std::string open_payload{};           // of the one that has not ended
};

inline std::string mask(std::string bytes, std::string_view key) {
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(bytes[i] ^ key[i % 4]);
  return bytes;
}

inline std::string big_endian(std::uint64_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
  return out;
}

// A frame as it should be. An empty key: not masked.
inline std::string frame(bool fin, unsigned opcode, const std::string& payload, const std::string& key) {
  std::string out(1, static_cast<char>((fin ? 0x80U : 0U) | opcode));
  const unsigned mask_bit = key.empty() ? 0 : 0x80;
  if (payload.size() < 126) {
    out += static_cast<char>(mask_bit | payload.size());
  } else if (payload.size() < 65536) {
    out += static_cast<char>(mask_bit | 126);
    out += big_endian(payload.size(), 2);
  } else {
    out += static_cast<char>(mask_bit | 127);
    out += big_endian(payload.size(), 8);
  }
  return out + key + (key.empty() ? payload : mask(payload, key));
}

inline bool is_utf8(const std::string& text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t size = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    if (size == 0 || i + size > text.size()) return false;
    std::uint32_t point = size == 1 ? lead : lead & (0x7FU >> size);
    for (std::size_t k = 1; k < size; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if (next >> 6 != 2) return false;
      point = point << 6 | (next & 0x3FU);
    }
    const std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < least[size] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) return false;
    i += size;
  }
  return true;
}

struct Header {
  enum { whole, cut, wrong } state = cut;
  bool fin = false;
  unsigned opcode = 0;
  std::uint64_t payload_bytes = 0;
  std::size_t bytes = 0;
  std::string key;
};

inline Header read_header(std::string_view in, bool from_client) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(in[i])); };
  Header header;
  const Header wrong = {.state = Header::wrong};
  if (in.empty()) return header;
  header.fin = byte(0) >= 0x80;
  header.opcode = byte(0) % 16;
  if (byte(0) / 16 % 8 != 0) return wrong;
  if (header.opcode > 10 || (header.opcode > 2 && header.opcode < 8)) return wrong;
  if (header.opcode >= 8 && !header.fin) return wrong;
  if (in.size() < 2) return header;
  if ((byte(1) >= 0x80) != from_client) return wrong;
  const unsigned length = byte(1) % 128;
  if (header.opcode >= 8 && length > 125) return wrong;
  const std::size_t more = length == 126 ? 2 : length == 127 ? 8 : 0;
  if (in.size() < 2 + more) return header;
  header.payload_bytes = more == 0 ? length : 0;
  for (std::size_t i = 0; i < more; ++i) header.payload_bytes = header.payload_bytes * 256 + byte(2 + i);
  if (more == 2 && header.payload_bytes < 126) return wrong;
  if (more == 8 && header.payload_bytes < 65536) return wrong;
  if (header.payload_bytes > INT64_MAX) return wrong;
  header.bytes = 2 + more + (from_client ? 4 : 0);
  if (in.size() < header.bytes) return header;
  header.key = in.substr(2 + more, header.bytes - 2 - more);
  header.state = Header::whole;
  return header;
}

inline Seen read_control(unsigned opcode, const std::string& payload) {
  if (opcode == 9) return {"ping", 0, payload};
  if (opcode == 10) return {"pong", 0, payload};
  if (payload.empty()) return {"close", 1005, ""};
  if (payload.size() == 1) return {"violation", 1002, ""};
  const unsigned code = static_cast<unsigned char>(payload[0]) * 256U + static_cast<unsigned char>(payload[1]);
  const bool may_be_sent =
      (code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006) || (code >= 3000 && code <= 4999);
  if (!may_be_sent) return {"violation", 1002, ""};
  if (!is_utf8(payload.substr(2))) return {"violation", 1007, ""};
  return {"close", code, payload.substr(2)};
}

inline Outcome read_client(std::string_view in, std::size_t message_bytes_max) {
  Outcome outcome;
  bool open = false;
  unsigned opcode = 0;  // of the open message
  std::string message;
  const auto end_with = [&](Seen seen) {
    outcome.seen.push_back(std::move(seen));
    return outcome;
  };
  for (;;) {
    const Header header = read_header(in, true);
    if (header.state == Header::wrong) return end_with({"violation", 1002, ""});
    if (header.state == Header::cut) break;
    if (header.opcode < 8 && (header.opcode == 0) != open) return end_with({"violation", 1002, ""});
    if (header.opcode < 8 && message.size() + header.payload_bytes > message_bytes_max) {
      return end_with({"violation", 1009, ""});
    }
    if (in.size() - header.bytes < header.payload_bytes) break;
    const std::string payload = mask(std::string(in.substr(header.bytes, header.payload_bytes)), header.key);
    in.remove_prefix(header.bytes + payload.size());
    if (header.opcode >= 8) {
      outcome.seen.push_back(read_control(header.opcode, payload));
      if (outcome.seen.back().number != 0) return outcome;
      continue;
    }
    if (!open) opcode = header.opcode;
    open = !header.fin;
    message += payload;
    if (!header.fin) continue;
    if (opcode == 1 && !is_utf8(message)) return end_with({"violation", 1007, ""});
    outcome.seen.push_back({"message", opcode, message});
    message.clear();
  }
  outcome.inside_message = open || !in.empty();
  return outcome;
}

inline Outcome read_node(std::string_view in) {
  Outcome outcome;
  bool open = false;
  outcome.at_frame_boundary = true;
  const auto relay = [&](std::string_view bytes) {
    if (bytes.empty()) return;
    if (outcome.seen.empty() || outcome.seen.back().kind != "relay") outcome.seen.push_back({"relay", 0, ""});
    outcome.seen.back().bytes += bytes;
  };
  for (;;) {
    const Header header = read_header(in, false);
    if (header.state == Header::cut) break;
    if (header.state == Header::wrong || (header.opcode < 8 && (header.opcode == 0) != open)) {
      outcome.seen.push_back({"violation", 1002, ""});
      break;
    }
    const bool whole = in.size() - header.bytes >= header.payload_bytes;
    if (header.opcode < 8) {
      open = !header.fin;
      relay(whole ? in.substr(0, header.bytes + header.payload_bytes) : in);
      outcome.at_frame_boundary = whole;
      outcome.open_payload += whole ? in.substr(header.bytes, header.payload_bytes) : in.substr(header.bytes);
      if (whole && header.fin) {
        ++outcome.messages;
        outcome.payloads.push_back(std::exchange(outcome.open_payload, {}));
      }
    }
    if (!whole) break;
    if (header.opcode >= 8) {
      outcome.seen.push_back(read_control(header.opcode, std::string(in.substr(header.bytes, header.payload_bytes))));
      if (outcome.seen.back().number != 0) break;
    }
    in.remove_prefix(header.bytes + header.payload_bytes);
  }
  outcome.inside_message = open || !outcome.at_frame_boundary;
  return outcome;
}

}  // namespace reference
