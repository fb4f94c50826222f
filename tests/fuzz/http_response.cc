// A node's answer. The first byte says whether HEAD was asked; the rest is the head. What must hold:
// - the answer to a prefix is "more" or the answer to the whole;
// - what goes to the client is one head that frames the same body;
// - nothing but a 101 that answers the key becomes a tunnel.
#include <cstdint>
#include <string>
#include <string_view>

#include <ringwall/check.h>
#include <ringwall/http/forward.h>
#include <ringwall/http/head.h>
#include <ringwall/http/upgrade.h>

namespace {

using namespace ringwall::http;

using Parsed = std::expected<std::size_t, std::string_view>;

constexpr std::size_t room = head_bytes_max + forward_bytes_added_max;

void check_prefixes(std::string_view input, bool request_was_head, const Parsed& whole) {
  for (std::size_t bytes = 0; bytes < input.size(); ++bytes) {
    if (input.size() > 256 && input[bytes] != '\n' && (bytes == 0 || input[bytes - 1] != '\n')) continue;
    const std::string copy(input.substr(0, bytes));
    ResponseHead head;
    const Parsed part = parse_response_head(copy, request_was_head, head);
    if (!part) {
      RINGWALL_CHECK(!whole);
      RINGWALL_CHECK(part.error() == whole.error());
    } else if (*part > 0) {
      RINGWALL_CHECK(whole);
      RINGWALL_CHECK(*part == *whole);
    } else {
      RINGWALL_CHECK(!whole || bytes < *whole || *whole == 0);
    }
  }
}

void check_for_client(const ResponseHead& head, bool request_was_head) {
  std::string memory(room, '\0');
  const auto bytes = write_response_to_client(memory, head, {head.framing, head.content_length}, head.keep_alive);
  RINGWALL_CHECK(bytes);
  if (head.headers().size() + 2 > headers_max) return;
  ResponseHead again;
  RINGWALL_CHECK(parse_response_head(std::string_view(memory).substr(0, *bytes), request_was_head, again, room) ==
                 *bytes);
  RINGWALL_CHECK(again.status == head.status);
  RINGWALL_CHECK(again.reason == head.reason);
  RINGWALL_CHECK(again.framing == head.framing);
  RINGWALL_CHECK(again.content_length == head.content_length);
  RINGWALL_CHECK(again.keep_alive == head.keep_alive);
  RINGWALL_CHECK(!again.find("upgrade"));
}

void check_tunnel(const ResponseHead& head) {
  constexpr std::string_view key = "dGhlIHNhbXBsZSBub25jZQ==";
  const auto protocol = verify_upgrade_response(head, key, "chat, superchat");
  if (!protocol) return;
  RINGWALL_CHECK(head.status == 101);
  RINGWALL_CHECK(head.framing == Framing::none);
  RINGWALL_CHECK(head.find("sec-websocket-accept") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  RINGWALL_CHECK(protocol->empty() || *protocol == "chat" || *protocol == "superchat");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const bool request_was_head = data[0] == 'H';
  const std::string input(reinterpret_cast<const char*>(data) + 1, size - 1);
  ResponseHead head;
  const Parsed whole = parse_response_head(input, request_was_head, head);
  check_prefixes(input, request_was_head, whole);
  if (!whole || *whole == 0) return 0;
  check_for_client(head, request_was_head);
  check_tunnel(head);
  return 0;
}
