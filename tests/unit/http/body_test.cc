#include <ringwall/http/body.h>

#include <optional>
#include <string>
#include <vector>

#include <ringwall/http/writer.h>

#include "unit/catch.h"

namespace ringwall::http {
namespace {

struct Reading {
  std::string payload;
  bool done = false;
  std::size_t consumed = 0;
  std::optional<int> refused;

  bool operator==(const Reading&) const = default;
};

// Reads `input` as if it came in parts of `part_bytes`.
Reading read_in_parts(BodyReader reader, std::string_view input, std::size_t part_bytes) {
  Reading reading;
  while (!reading.done && !reading.refused) {
    const std::string part(input.substr(reading.consumed, part_bytes));
    std::string_view rest = part;
    while (true) {
      const auto piece = reader.next(rest);
      if (!piece) {
        reading.refused = piece.error().status;
        break;
      }
      reading.payload += piece->payload;
      reading.done = piece->done;
      if (piece->done || rest.empty()) break;
    }
    reading.consumed += part.size() - rest.size();
    if (part.empty()) break;
  }
  CHECK(reader.done() == reading.done);
  return reading;
}

// The same, however the input is cut.
Reading read(const BodyReader& reader, std::string_view input) {
  const Reading whole = read_in_parts(reader, input, input.size() + 1);
  for (std::size_t part_bytes = 1; part_bytes <= input.size() && part_bytes < 64; ++part_bytes) {
    CAPTURE(part_bytes, input);
    const Reading parts = read_in_parts(reader, input, part_bytes);
    CHECK(parts.refused == whole.refused);
    CHECK(parts.done == whole.done);
    if (!whole.refused) CHECK(parts == whole);
  }
  return whole;
}

Reading read_chunked(std::string_view input, std::uint64_t body_bytes_max = body_unbounded) {
  return read(BodyReader(Framing::chunked, 0, body_bytes_max), input);
}

}  // namespace

TEST_CASE("no body is done at once and takes nothing", "[http]") {
  CHECK(read(BodyReader(), "GET /") == Reading{"", true, 0, {}});
  CHECK(read(BodyReader(Framing::none, 0), "GET /") == Reading{"", true, 0, {}});
  CHECK(read(BodyReader(Framing::length, 0), "GET /") == Reading{"", true, 0, {}});
}

TEST_CASE("a body of a length takes that many bytes and leaves the next request", "[http]") {
  CHECK(read(BodyReader(Framing::length, 5), "helloGET /") == Reading{"hello", true, 5, {}});
  CHECK(read(BodyReader(Framing::length, 6), "hello") == Reading{"hello", false, 5, {}});
}

TEST_CASE("the last payload of a known length says that it is the last", "[http]") {
  BodyReader reader(Framing::length, 2);
  std::string_view in = "ab";
  const auto piece = reader.next(in);
  REQUIRE(piece);
  CHECK(piece->done);
  CHECK(reader.payload_bytes() == 2);
}

TEST_CASE("a length over the bound is refused before its first byte, one at the bound is not", "[http]") {
  BodyReader reader(Framing::length, 6, 5);
  std::string_view nothing;
  const auto piece = reader.next(nothing);
  REQUIRE_FALSE(piece);
  CHECK(piece.error().status == 413);
  CHECK(read(BodyReader(Framing::length, 5, 5), "hello").done);
}

TEST_CASE("a body until close is whole whenever the peer closes", "[http]") {
  BodyReader reader(Framing::until_close, 0, 5);
  std::string_view in = "hello";
  CHECK(reader.next(in)->payload == "hello");
  CHECK(reader.whole_at_close());
  CHECK_FALSE(reader.done());
  in = "!";
  REQUIRE_FALSE(reader.next(in));
  CHECK_FALSE(reader.whole_at_close());
  CHECK_FALSE(BodyReader(Framing::length, 5).whole_at_close());
  CHECK_FALSE(BodyReader(Framing::chunked, 0).whole_at_close());
  CHECK(BodyReader().whole_at_close());
}

TEST_CASE("chunks are joined, in any case of their sizes", "[http]") {
  CHECK(read_chunked("5\r\nhello\r\n0\r\n\r\nGET /") == Reading{"hello", true, 15, {}});
  CHECK(read_chunked("0\r\n\r\n") == Reading{"", true, 5, {}});
  const std::string text(0xab, 'x');
  CHECK(read_chunked("aB\r\n" + text + "\r\n01\r\n!\r\n000\r\n\r\n").payload == text + "!");
  CHECK(read_chunked("2\r\n\r\n\r\n0\r\n\r\n").payload == "\r\n");
}

TEST_CASE("a chunked body that stops early is not whole", "[http]") {
  const std::string_view body = "5\r\nhello\r\n0\r\n\r\n";
  for (std::size_t bytes = 0; bytes < body.size(); ++bytes) {
    const Reading reading = read_chunked(body.substr(0, bytes));
    CHECK_FALSE(reading.done);
    CHECK_FALSE(reading.refused);
    CHECK(reading.consumed == bytes);
  }
}

TEST_CASE("a chunk's size is hexadecimal, of 16 digits at most, and nothing else", "[http]") {
  for (const char* begin : {"\r\n", ";a\r\n", " 5\r\n", "5 \r\n", "5\t;a\r\n", "0x5\r\n", "-5\r\n", "+5\r\n", "g\r\n",
                            "5,\r\n", "5\n", "5\r5", "\n", "00000000000000005\r\n", "10000000000000005\r\n"}) {
    CAPTURE(begin);
    CHECK(read_chunked(std::string(begin) + "hello\r\n0\r\n\r\n").refused == 400);
  }
  CHECK(read_chunked("0000000000000005\r\nhello\r\n0\r\n\r\n").payload == "hello");
  CHECK(read_chunked("ffffffffffffffff\r\nhello").payload == "hello");
  CHECK(read_chunked("ffffffffffffffff\r\nhello", 1 << 20).refused == 413);
}

TEST_CASE("two chunks cannot wrap the size of a body around", "[http]") {
  BodyReader reader(Framing::chunked, 0, 10);
  CHECK(read(reader, "6\r\nsixsix\r\nfffffffffffffffb\r\n").refused == 413);
}

TEST_CASE("a chunk's data ends in CRLF exactly where its size says", "[http]") {
  CHECK(read_chunked("5\r\nhelloo\r\n0\r\n\r\n").refused == 400);
  CHECK(read_chunked("5\r\nhell\r\n0\r\n\r\n").refused == 400);
  CHECK(read_chunked("5\r\nhello\n0\r\n\r\n").refused == 400);
  CHECK(read_chunked("5\r\nhello\n\n0\r\n\r\n").refused == 400);
  CHECK(read_chunked("5\r\nhello\r0\r\n\r\n").refused == 400);
}

TEST_CASE("chunks may fill the bound and not pass it", "[http]") {
  CHECK(read_chunked("3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", 5).payload == "abcde");
  CHECK(read_chunked("3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n", 5).refused == 413);
}

TEST_CASE("chunk extensions are ignored, checked and bounded over the body", "[http]") {
  CHECK(read_chunked("1;a=b;c=\"d\"\r\nx\r\n0;e\r\n\r\n").payload == "x");
  CHECK(read_chunked("1;a\nb\r\nx\r\n0\r\n\r\n").refused == 400);
  CHECK(read_chunked("1;a\r\r\nx\r\n0\r\n\r\n").refused == 400);
  CHECK(read_chunked("1;a\x01\r\nx\r\n0\r\n\r\n").refused == 400);
  const std::string half(chunk_extension_bytes_max / 2, 'a');
  const std::string two = "1;" + half + "\r\nx\r\n1;" + half + "\r\ny\r\n";
  CHECK(read_chunked(two + "0\r\n\r\n").payload == "xy");
  CHECK(read_chunked(two + "0;a\r\n\r\n").refused == 400);
}

TEST_CASE("trailers are checked, dropped and bounded", "[http]") {
  const Reading reading = read_chunked("1\r\nx\r\n0\r\nContent-Length: 5\r\nA:\r\n\r\nGET");
  CHECK(reading.payload == "x");
  CHECK(reading.done);
  CHECK(reading.consumed == 34);
  for (const char* trailers : {"A\r\n\r\n", " A: b\r\n\r\n", "A: b\r\n c\r\n\r\n", "A : b\r\n\r\n", ": b\r\n\r\n",
                               "A: b\n\r\n", "A: b\r\r\n\r\n", "A: \x01\r\n\r\n", "\n", "\rA"}) {
    CAPTURE(trailers);
    CHECK(read_chunked("0\r\n" + std::string(trailers)).refused == 400);
  }
  const auto trailer = [](std::size_t bytes) { return "0\r\nA:" + std::string(bytes - 4, 'b') + "\r\n\r\n"; };
  CHECK(read_chunked(trailer(trailer_bytes_max)).done);
  CHECK(read_chunked(trailer(trailer_bytes_max + 1)).refused == 431);
}

TEST_CASE("a refusal is final", "[http]") {
  BodyReader reader(Framing::chunked, 0);
  std::string_view in = "x";
  const auto first = reader.next(in);
  in = "5\r\nhello\r\n0\r\n\r\n";
  const auto second = reader.next(in);
  REQUIRE_FALSE(first);
  REQUIRE_FALSE(second);
  CHECK(second.error().why == first.error().why);
}

TEST_CASE("payload is handed out from the input, not copied", "[http]") {
  const std::string body = "5\r\nhello\r\n0\r\n\r\n";
  std::string_view in = body;
  BodyReader reader(Framing::chunked, 0);
  const auto piece = reader.next(in);
  REQUIRE(piece);
  CHECK(piece->payload.data() == body.data() + 3);
}

TEST_CASE("chunks written are read back, of every size up to two hexadecimal digits and more", "[http]") {
  std::string body;
  std::string payload;
  for (std::size_t bytes = 1; bytes < 300; ++bytes) {
    std::array<char, chunk_header_bytes_max> header;
    const std::string data(bytes, static_cast<char>('a' + bytes % 26));
    body.append(header.data(), write_chunk_header(header, bytes));
    body += data;
    body += chunk_end;
    payload += data;
  }
  body += last_chunk;
  CHECK(read_in_parts(BodyReader(Framing::chunked, 0), body, 7).payload == payload);
  CHECK(read_in_parts(BodyReader(Framing::chunked, 0), body, body.size()).done);
}

}  // namespace ringwall::http
