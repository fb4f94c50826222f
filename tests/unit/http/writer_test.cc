#include <ringwall/http/writer.h>

#include <array>
#include <limits>
#include <string>

#include "heads.h"
#include "unit/catch.h"

namespace ringwall::http {

TEST_CASE("a request head is written as it will be read", "[http]") {
  std::array<char, 256> memory;
  HeadWriter writer(memory);
  writer.request_line("POST", "/rpc", "a=b").field("Host", "localhost:9944");
  writer.field("Content-Length", std::numeric_limits<std::uint64_t>::max());
  const auto bytes = writer.end();
  REQUIRE(bytes);
  CHECK(std::string_view(memory.data(), *bytes) ==
        "POST /rpc?a=b HTTP/1.1\r\nHost: localhost:9944\r\nContent-Length: 18446744073709551615\r\n\r\n");
}

TEST_CASE("a head fits its memory to the byte, or is reported too long", "[http]") {
  const std::string_view expected = "HTTP/1.1 204 No Content\r\nA: bc\r\n\r\n";
  std::array<char, 64> memory;
  for (std::size_t room = 0; room <= expected.size(); ++room) {
    HeadWriter writer(std::span<char>(memory).first(room));
    const auto bytes = writer.status_line(204).begin_field("A").append("b").append("c").end_field().end();
    CAPTURE(room);
    CHECK(bytes.has_value() == (room == expected.size()));
    if (!bytes) CHECK(bytes.error() == WriteFault::too_long);
  }
  CHECK(std::string_view(memory.data(), expected.size()) == expected);
}

TEST_CASE("what does not fit leaves no hole for what would", "[http]") {
  std::array<char, 40> memory;
  HeadWriter writer(memory);
  writer.status_line(200).field("A", std::string(40, 'a')).field("B", "b");
  CHECK(writer.end().error() == WriteFault::too_long);
}

TEST_CASE("nothing that would end a line early is written", "[http]") {
  std::array<char, 256> memory;
  CHECK(HeadWriter(memory).status_line(200).field("A", "b\r\nC: d").end().error() == WriteFault::malformed);
  CHECK(HeadWriter(memory).status_line(200).field("A: b\r\nC", "d").end().error() == WriteFault::malformed);
  CHECK(HeadWriter(memory).status_line(200).field("", "d").end().error() == WriteFault::malformed);
  CHECK(HeadWriter(memory).status_line(200).begin_field("A").append("\n").end_field().end().error() ==
        WriteFault::malformed);
  CHECK(HeadWriter(memory).status_line(200, "OK\r\nA: b").end().error() == WriteFault::malformed);
  CHECK(HeadWriter(memory).status_line(20).end().error() == WriteFault::malformed);
  CHECK(HeadWriter(memory).request_line("GET", "/ HTTP/1.1\r\nA: b").end().error() == WriteFault::malformed);
  CHECK(HeadWriter(memory).request_line("GET", "/", "a b").end().error() == WriteFault::malformed);
  CHECK(HeadWriter(memory).request_line("GET", "").end().error() == WriteFault::malformed);
  CHECK(HeadWriter(memory).request_line("G T", "/").end().error() == WriteFault::malformed);
}

TEST_CASE("a simple answer has its length, its body and says what becomes of the connection", "[http]") {
  std::array<char, 512> memory;
  const Header extra[] = {{"Retry-After", "5"}};
  const auto bytes =
      simple_response(memory, {.status = 503, .body = "the node is full\n", .keep_alive = true, .extra = extra});
  REQUIRE(bytes);
  CHECK(std::string_view(memory.data(), *bytes) ==
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 17\r\n"
        "Retry-After: 5\r\nConnection: keep-alive\r\n\r\nthe node is full\n");
}

TEST_CASE("an answer to HEAD tells the length and has no body; a 204 has neither", "[http]") {
  std::array<char, 512> memory;
  const auto to_head = simple_response(memory, {.content_type = "text/html", .body = "<p>", .to_head = true});
  REQUIRE(to_head);
  CHECK(std::string_view(memory.data(), *to_head) ==
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 3\r\nConnection: close\r\n\r\n");
  const auto empty = simple_response(memory, {.status = 204, .body = "x"});
  REQUIRE(empty);
  CHECK(std::string_view(memory.data(), *empty) == "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
}

TEST_CASE("a simple answer whose body does not fit is reported, at every size too small", "[http]") {
  std::array<char, 512> memory;
  const SimpleResponse response{.status = 400, .body = "no"};
  const auto fits = simple_response(memory, response);
  REQUIRE(fits);
  for (std::size_t room = 0; room < *fits; ++room) {
    CHECK(simple_response(std::span<char>(memory).first(room), response).error() == WriteFault::too_long);
  }
  CHECK(simple_response(std::span<char>(memory).first(*fits), response) == *fits);
}

TEST_CASE("a refusal becomes an answer that says why and closes", "[http]") {
  std::array<char, 512> memory;
  const auto bytes = refusal_response(memory, {417, "Expect is odd"});
  REQUIRE(bytes);
  const std::string_view text(memory.data(), *bytes);
  CHECK(text.ends_with("\r\n\r\nExpect is odd\n"));
  const ResponseHead head = answer_of(text.substr(0, text.find("\r\n\r\n") + 4));
  CHECK(head.status == 417);
  CHECK(head.content_length == 14);
  CHECK_FALSE(head.keep_alive);
}

TEST_CASE("426 names the protocol and the version that would be right", "[http]") {
  std::array<char, 512> memory;
  const auto bytes = refusal_response(memory, {426, "version"}, {}, true);
  REQUIRE(bytes);
  const ResponseHead head = answer_of(std::string_view(memory.data(), *bytes), true);
  CHECK(head.find("upgrade") == "websocket");
  CHECK(head.find("sec-websocket-version") == "13");
  CHECK(head.fields.lists("connection", "upgrade"));
  CHECK_FALSE(head.keep_alive);
}

TEST_CASE("statuses have their registered texts, others are unknown", "[http]") {
  CHECK(status_text(101) == "Switching Protocols");
  CHECK(status_text(431) == "Request Header Fields Too Large");
  CHECK(status_text(299) == "Unknown");
}

TEST_CASE("a chunk header holds the largest size", "[http]") {
  std::array<char, chunk_header_bytes_max> header;
  const std::size_t bytes = write_chunk_header(header, std::numeric_limits<std::uint64_t>::max());
  CHECK(std::string_view(header.data(), bytes) == "ffffffffffffffff\r\n");
  CHECK(std::string_view(header.data(), write_chunk_header(header, 0x1a3)) == "1a3\r\n");
}

}  // namespace ringwall::http
