// A request head as a client may send it. What must hold:
// - the answer to a prefix is "more" or the answer to the whole;
// - what was accepted, written out field by field, reads the same;
// - what goes to the node is one head that reads as planned: one Host, ours; no claim about the origin but ours.
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <ringwall/check.h>
#include <ringwall/http/forward.h>
#include <ringwall/http/head.h>
#include <ringwall/http/upgrade.h>

namespace {

using namespace ringwall::http;

using Parsed = std::expected<std::size_t, Refusal>;

constexpr std::size_t room = head_bytes_max + forward_bytes_added_max;
constexpr Origin origin{.address = "2001:db8::1", .proto = "https", .host_for_node = "localhost:9944"};

// A copy of its own size, so that a read beyond the end is seen.
Parsed parse_copy(std::string_view bytes) {
  const std::string copy(bytes);
  RequestHead head;
  return parse_request_head(copy, head);
}

// Every prefix of a small input; of a large one, those around its lines' ends.
void check_prefixes(std::string_view input, const Parsed& whole) {
  for (std::size_t bytes = 0; bytes < input.size(); ++bytes) {
    if (input.size() > 256 && input[bytes] != '\n' && (bytes == 0 || input[bytes - 1] != '\n')) continue;
    const Parsed part = parse_copy(input.substr(0, bytes));
    if (!part) {
      RINGWALL_CHECK(!whole);
      RINGWALL_CHECK(part.error().status == whole.error().status);
      RINGWALL_CHECK(part.error().why == whole.error().why);
    } else if (*part > 0) {
      RINGWALL_CHECK(whole);
      RINGWALL_CHECK(*part == *whole);
    } else {
      RINGWALL_CHECK(!whole || bytes < *whole || *whole == 0);
    }
  }
}

void check_written_again(const RequestHead& head) {
  std::string memory(room, '\0');
  HeadWriter writer(memory);
  writer.request_line(head.method_text, head.target);
  for (const Header& field : head.headers()) writer.field(field.name, field.value);
  const auto bytes = writer.end();
  RINGWALL_CHECK(bytes);
  if (head.minor == 0) return;  // the writer speaks 1.1 only
  RequestHead again;
  RINGWALL_CHECK(parse_request_head(std::string_view(memory).substr(0, *bytes), again, room) == *bytes);
  RINGWALL_CHECK(again.method == head.method);
  RINGWALL_CHECK(again.path == head.path);
  RINGWALL_CHECK(again.query == head.query);
  RINGWALL_CHECK(again.has_query == head.has_query);
  RINGWALL_CHECK(again.host == head.host);
  RINGWALL_CHECK(again.framing == head.framing);
  RINGWALL_CHECK(again.content_length == head.content_length);
  RINGWALL_CHECK(again.keep_alive == head.keep_alive);
  RINGWALL_CHECK(again.expect_continue == head.expect_continue);
  RINGWALL_CHECK(again.wants_websocket == head.wants_websocket);
  RINGWALL_CHECK(again.headers().size() == head.headers().size());
}

void check_for_node(std::string_view text, const RequestHead& sent) {
  RequestHead head;
  // Ringwall adds six lines of its own, which a full head has no room for here; the node has.
  if (sent.headers().size() + 8 > headers_max) return;
  RINGWALL_CHECK(parse_request_head(text, head, room) == text.size());
  RINGWALL_CHECK(head.path == sent.path);
  RINGWALL_CHECK(head.query == sent.query);
  RINGWALL_CHECK(head.host == origin.host_for_node);
  RINGWALL_CHECK(head.find("forwarded") == "for=\"[2001:db8::1]\";proto=https");
  for (const char* name : {"forwarded", "x-forwarded-for", "x-forwarded-proto", "x-real-ip"}) {
    RINGWALL_CHECK(head.fields.count(name) == 1);
  }
  RINGWALL_CHECK(head.fields.count("connection") == 1);
  RINGWALL_CHECK(!head.find("te"));
  RINGWALL_CHECK(!head.find("expect"));
  RINGWALL_CHECK(!head.find("sec-websocket-extensions") || !head.wants_websocket);
}

void check_forwarded(const RequestHead& head) {
  std::string memory(room, '\0');
  const auto bytes = write_request_to_node(memory, head, origin, {Framing::length, 7});
  RINGWALL_CHECK(bytes);
  check_for_node(std::string_view(memory).substr(0, *bytes), head);
  const auto upgrade = check_upgrade(head);
  if (!upgrade) return;
  RINGWALL_CHECK(head.wants_websocket);
  const auto upgrade_bytes = write_upgrade_request(memory, head, origin, upgrade->key, upgrade->protocols);
  RINGWALL_CHECK(upgrade_bytes);
  check_for_node(std::string_view(memory).substr(0, *upgrade_bytes), head);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string input(reinterpret_cast<const char*>(data), size);
  RequestHead head;
  const Parsed whole = parse_request_head(input, head);
  check_prefixes(input, whole);
  if (!whole || *whole == 0) return 0;
  RINGWALL_CHECK(*whole <= input.size());
  check_written_again(head);
  check_forwarded(head);
  return 0;
}
