#include <ringwall/websocket/control_frame.h>

#include <optional>
#include <string>

#include "unit/catch.h"
#include "unit/websocket/drive.h"

namespace {

using namespace ringwall::websocket;
using namespace std::string_literals;

constexpr MaskKey key = {std::byte{0x37}, std::byte{0xFA}, std::byte{0x21}, std::byte{0x3D}};

std::string ping(const std::string& payload, std::optional<MaskKey> mask = std::nullopt) {
  return drive::to_string(ControlFrame::ping(std::as_bytes(std::span(payload)), mask).bytes());
}

std::string pong(const std::string& payload, std::optional<MaskKey> mask = std::nullopt) {
  return drive::to_string(ControlFrame::pong(std::as_bytes(std::span(payload)), mask).bytes());
}

std::string close(CloseCode code, const std::string& reason, std::optional<MaskKey> mask = std::nullopt) {
  return drive::to_string(ControlFrame::close(code, reason, mask).bytes());
}

// The code that a Close with this payload is refused with; none if it is not.
std::optional<CloseCode> refusal(const std::string& payload) {
  const auto parsed = parse_close_payload(std::as_bytes(std::span(payload)));
  return parsed ? std::nullopt : std::optional(parsed.error().code);
}

}  // namespace

TEST_CASE("the ping and the masked pong of RFC 6455 are written") {
  CHECK(ping("Hello") == "\x89\x05Hello");
  CHECK(pong("Hello", key) == "\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
}

TEST_CASE("pings of 0, 1 and 125 bytes are what the plain builder makes of them") {
  for (const std::size_t size : {0, 1, 125}) {
    const std::string payload(size, 'p');
    CHECK(ping(payload) == reference::frame(true, 9, payload, ""));
    CHECK(ping(payload, key) == reference::frame(true, 9, payload, "\x37\xfa\x21\x3d"));
  }
}

TEST_CASE("a close carries its code and reason") {
  CHECK(close(CloseCode::going_away, "bye") == "\x88\x05\x03\xE9"s + "bye");
  CHECK(close(CloseCode::normal, "") == "\x88\x02\x03\xE8");
  CHECK(close(CloseCode::normal, "bye", key) == reference::frame(true, 8, "\x03\xE8"s + "bye", "\x37\xfa\x21\x3d"));
}

TEST_CASE("a close without a code that may be sent has no payload") {
  CHECK(close(CloseCode::no_status, "") == "\x88\x00"s);
  CHECK(close(CloseCode::abnormal, "the reason goes with the code") == "\x88\x00"s);
  CHECK(close(CloseCode::no_status, "", key) == "\x88\x80\x37\xfa\x21\x3d");
}

TEST_CASE("a reason is cut at 123 bytes, between characters") {
  const auto reason_of = [](const std::string& frame) { return frame.substr(4); };
  const std::string fits(123, 'r');
  CHECK(reason_of(close(CloseCode::normal, fits)) == fits);
  CHECK(reason_of(close(CloseCode::normal, fits + "r")) == fits);
  const std::string euro = "\xE2\x82\xAC";
  CHECK(reason_of(close(CloseCode::normal, std::string(120, 'r') + euro + "r")) == std::string(120, 'r') + euro);
  CHECK(reason_of(close(CloseCode::normal, std::string(121, 'r') + euro)) == std::string(121, 'r'));
  CHECK(reason_of(close(CloseCode::normal, std::string(122, 'r') + euro)) == std::string(122, 'r'));
}

TEST_CASE("a close payload gives back its code and reason") {
  const auto payload = drive::to_bytes("\x03\xF1too big");
  const auto parsed = parse_close_payload(payload);
  REQUIRE(parsed.has_value());
  CHECK(parsed->code == CloseCode::message_too_big);
  CHECK(parsed->reason == "too big");
}

TEST_CASE("an empty close payload is no status") {
  const auto parsed = parse_close_payload({});
  REQUIRE(parsed.has_value());
  CHECK(parsed->code == CloseCode::no_status);
  CHECK(parsed->reason.empty());
}

TEST_CASE("half a code, a code that may not be sent and a reason that is not UTF-8 are refused") {
  CHECK(refusal("\x03") == CloseCode::protocol_error);
  CHECK(refusal("\x03\xE8") == std::nullopt);
  CHECK(refusal("\x03\xE7") == CloseCode::protocol_error);
  CHECK(refusal("\x03\xED") == CloseCode::protocol_error);
  CHECK(refusal("\x0B\xB7") == CloseCode::protocol_error);
  CHECK(refusal("\x0B\xB8") == std::nullopt);
  CHECK(refusal("\x13\x87") == std::nullopt);
  CHECK(refusal("\x13\x88") == CloseCode::protocol_error);
  CHECK(refusal("\x03\xE8\xE2\x82\xAC") == std::nullopt);
  CHECK(refusal("\x03\xE8\xE2\x82") == CloseCode::invalid_payload);
}
