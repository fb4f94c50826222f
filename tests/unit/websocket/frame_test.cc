#include <ringwall/websocket/frame.h>

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "unit/catch.h"
#include "unit/websocket/drive.h"

namespace {

using namespace ringwall::websocket;
using namespace std::string_literals;

constexpr MaskKey key = {std::byte{0x37}, std::byte{0xFA}, std::byte{0x21}, std::byte{0x3D}};

struct Parsed {
  std::optional<std::size_t> size;  // none: a violation
  FrameHeader header;
  Violation violation;
};

Parsed parse(const std::string& text, Sender sender) {
  const auto bytes = drive::to_bytes(text);
  Parsed parsed;
  const auto size = parse_frame_header(bytes, sender, parsed.header);
  if (size) {
    parsed.size = *size;
  } else {
    parsed.violation = size.error();
  }
  return parsed;
}

std::string written(bool fin, Opcode opcode, std::uint64_t payload_bytes, std::optional<MaskKey> mask) {
  std::array<std::byte, frame_header_bytes_max> out;
  const std::size_t size = write_frame_header(out, fin, opcode, payload_bytes, mask);
  CHECK(size == frame_header_bytes(payload_bytes, mask.has_value()));
  return drive::to_string(std::span(out).first(size));
}

// A violation, and already with these bytes: with one less it is not yet seen.
void check_refused_at_its_last_byte(const std::string& text, Sender sender) {
  INFO("first bytes " << static_cast<int>(static_cast<unsigned char>(text[0])) << ", " << text.size() << " in all");
  const Parsed parsed = parse(text, sender);
  REQUIRE_FALSE(parsed.size.has_value());
  CHECK(parsed.violation.code == CloseCode::protocol_error);
  CHECK_FALSE(parsed.violation.why.empty());
  CHECK(parse(text.substr(0, text.size() - 1), sender).size == 0U);
}

}  // namespace

TEST_CASE("a single-frame unmasked text of RFC 6455 is read") {
  const Parsed parsed = parse("\x81\x05Hello", Sender::server);
  REQUIRE(parsed.size == 2U);
  CHECK(parsed.header.fin);
  CHECK(parsed.header.opcode == Opcode::text);
  CHECK_FALSE(parsed.header.masked);
  CHECK(parsed.header.payload_bytes == 5);
  CHECK(parsed.header.header_bytes == 2);
}

TEST_CASE("a single-frame masked text of RFC 6455 is read") {
  const Parsed parsed = parse("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", Sender::client);
  REQUIRE(parsed.size == 6U);
  CHECK(parsed.header.masked);
  CHECK(parsed.header.mask == key);
  CHECK(parsed.header.payload_bytes == 5);
}

TEST_CASE("the fragments, 256 bytes and 64 KiB of RFC 6455 are read") {
  const Parsed first = parse("\x01\x03Hel", Sender::server);
  CHECK(first.size == 2U);
  CHECK_FALSE(first.header.fin);
  const Parsed last = parse("\x80\x02lo", Sender::server);
  CHECK(last.size == 2U);
  CHECK(last.header.fin);
  CHECK(last.header.opcode == Opcode::continuation);
  CHECK(parse("\x82\x7E\x01\x00"s, Sender::server).header.payload_bytes == 256);
  CHECK(parse("\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00"s, Sender::server).header.payload_bytes == 65536);
}

TEST_CASE("what is written is read back, whatever the length and the mask, and only once it is whole") {
  const std::uint64_t largest = INT64_MAX;
  for (const std::uint64_t bytes : {0UL, 1UL, 125UL, 126UL, 127UL, 65535UL, 65536UL, 1UL << 20, 1UL << 32, largest}) {
    for (const bool masked : {false, true}) {
      for (const bool fin : {false, true}) {
        const std::string header = written(fin, Opcode::binary, bytes, masked ? std::optional(key) : std::nullopt);
        const Sender sender = masked ? Sender::client : Sender::server;
        for (std::size_t cut = 0; cut < header.size(); ++cut) CHECK(parse(header.substr(0, cut), sender).size == 0U);
        const Parsed parsed = parse(header + "payload", sender);
        CHECK(parsed.size == header.size());
        CHECK(parsed.header.header_bytes == header.size());
        CHECK(parsed.header.fin == fin);
        CHECK(parsed.header.opcode == Opcode::binary);
        CHECK(parsed.header.masked == masked);
        CHECK(parsed.header.mask == (masked ? key : MaskKey{}));
        CHECK(parsed.header.payload_bytes == bytes);
      }
    }
  }
}

TEST_CASE("a header is written as RFC 6455 has it") {
  CHECK(written(true, Opcode::text, 5, std::nullopt) == "\x81\x05");
  CHECK(written(false, Opcode::text, 3, key) == "\x01\x83\x37\xfa\x21\x3d");
  CHECK(written(true, Opcode::binary, 256, std::nullopt) == "\x82\x7E\x01\x00"s);
  CHECK(written(true, Opcode::binary, 65536, std::nullopt) == "\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00"s);
}

TEST_CASE("a reserved bit is refused at the first byte") {
  for (const char* first : {"\xC1", "\xA1", "\x91", "\x41"}) check_refused_at_its_last_byte(first, Sender::client);
}

TEST_CASE("every opcode but the six is refused at the first byte") {
  for (unsigned opcode = 0; opcode < 16; ++opcode) {
    const std::string first(1, static_cast<char>(0x80 | opcode));
    const bool known = opcode <= 2 || (opcode >= 8 && opcode <= 10);
    if (known) {
      CHECK(parse(first, Sender::client).size == 0U);
    } else {
      check_refused_at_its_last_byte(first, Sender::client);
    }
  }
}

TEST_CASE("a client that does not mask and a server that does are refused at the second byte") {
  check_refused_at_its_last_byte("\x81\x05", Sender::client);
  check_refused_at_its_last_byte("\x81\x85", Sender::server);
  check_refused_at_its_last_byte("\x89\x00"s, Sender::client);
  check_refused_at_its_last_byte("\x89\x80", Sender::server);
}

TEST_CASE("a control frame of 125 bytes is read, and one of 126 or in fragments is refused") {
  for (const char* first : {"\x88", "\x89", "\x8A"}) {
    CHECK(parse(first + "\x7D"s, Sender::server).header.payload_bytes == 125);
    check_refused_at_its_last_byte(first + "\x7E"s, Sender::server);
    check_refused_at_its_last_byte(first + "\x7F"s, Sender::server);
  }
  for (const char* first : {"\x08", "\x09", "\x0A"}) check_refused_at_its_last_byte(first, Sender::server);
}

TEST_CASE("a length in more bytes than it needs is refused") {
  CHECK(parse("\x82\x7E\x00\x7E"s, Sender::server).header.payload_bytes == 126);
  check_refused_at_its_last_byte("\x82\x7E\x00\x7D"s, Sender::server);
  check_refused_at_its_last_byte("\x82\x7E\x00\x00"s, Sender::server);
  CHECK(parse("\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00"s, Sender::server).size == 10U);
  check_refused_at_its_last_byte("\x82\x7F\x00\x00\x00\x00\x00\x00\xFF\xFF"s, Sender::server);
}

TEST_CASE("a length of 2^63 - 1 is read, and one of 2^63 is refused") {
  CHECK(parse("\x82\x7F\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF", Sender::server).header.payload_bytes == INT64_MAX);
  check_refused_at_its_last_byte("\x82\x7F\x80\x00\x00\x00\x00\x00\x00\x00"s, Sender::server);
}

TEST_CASE("the codes that a Close may carry are those of the registry and of applications") {
  for (unsigned code = 0; code <= 0xFFFF; ++code) {
    const bool expected =
        (code >= 1000 && code <= 1014 && (code < 1004 || code > 1006)) || code / 1000 == 3 || code / 1000 == 4;
    if (valid_on_wire(static_cast<CloseCode>(code)) != expected) FAIL("code " << code);
  }
  CHECK(valid_on_wire(CloseCode::message_too_big));
  CHECK_FALSE(valid_on_wire(CloseCode::no_status));
}
