// Requests that two servers in a row are known to read in two ways: each is refused, and never forwarded.
#include <string>

#include <ringwall/http/head.h>

#include "heads.h"
#include "unit/catch.h"

namespace ringwall::http {
namespace {

int post_refused(std::string_view fields) {
  return refusal_of("POST / HTTP/1.1\r\nHost: example.com\r\n" + std::string(fields) + "\r\n");
}

}  // namespace

TEST_CASE("Content-Length frames a body when it is one decimal number", "[http]") {
  const RequestHead head = request_of("POST / HTTP/1.1\r\nHost: a\r\ncontent-length: 0042\r\n\r\n");
  CHECK(head.framing == Framing::length);
  CHECK(head.content_length == 42);
  const RequestHead largest = request_of("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9999999999999999999\r\n\r\n");
  CHECK(largest.content_length == 9'999'999'999'999'999'999U);
}

TEST_CASE("a Content-Length that could be two numbers is refused", "[http]") {
  for (const char* value : {"", "+5", "-5", "5,5", "5, 5", "5 5", "0x5", "5.0", "5;", "five", "5\t6", "\xd9\xa5"}) {
    CAPTURE(value);
    CHECK(post_refused("Content-Length: " + std::string(value) + "\r\n") == 400);
  }
  CHECK(post_refused("Content-Length: 5\r\nContent-Length: 5\r\n") == 400);
  CHECK(post_refused("Content-Length: 5\r\ncontent-length: 6\r\n") == 400);
  CHECK(post_refused("Content-Length: 18446744073709551616\r\n") == 413);
  CHECK(post_refused("Content-Length: 99999999999999999999999999999999999999\r\n") == 413);
}

TEST_CASE("Transfer-Encoding is chunked alone or refused", "[http]") {
  CHECK(request_of("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n").framing == Framing::chunked);
  for (const char* value : {"", "gzip, chunked", "chunked, identity", "identity", "xchunked", "chunked,", "chunked;q=1",
                            "\"chunked\"", "chunk", "chunked chunked"}) {
    CAPTURE(value);
    CHECK(post_refused("Transfer-Encoding: " + std::string(value) + "\r\n") == 501);
  }
  CHECK(post_refused("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n") == 400);
  CHECK(post_refused("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n") == 400);
  CHECK(refusal_of("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n") == 400);
}

TEST_CASE("Content-Length and Transfer-Encoding together are refused, in either order", "[http]") {
  CHECK(post_refused("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n") == 400);
  CHECK(post_refused("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n") == 400);
}

TEST_CASE("a disguised Transfer-Encoding is refused, not overlooked", "[http]") {
  CHECK(post_refused("Transfer-Encoding : chunked\r\n") == 400);
  CHECK(post_refused("Transfer-Encoding\t: chunked\r\n") == 400);
  CHECK(post_refused(" Transfer-Encoding: chunked\r\n") == 400);
  CHECK(post_refused("X: y\r\n Transfer-Encoding: chunked\r\n") == 400);
  CHECK(post_refused("X: y\r\n\tTransfer-Encoding: chunked\r\n") == 400);
  CHECK(post_refused("Transfer-Encoding:\r\n chunked\r\n") == 400);
  CHECK(post_refused("X: y\nTransfer-Encoding: chunked\r\n") == 400);
  CHECK(post_refused("X: y\rTransfer-Encoding: chunked\r\n") == 400);
  CHECK(post_refused("X: y\r\rTransfer-Encoding: chunked\r\n") == 400);
  CHECK(post_refused("Transfer-Encoding: \x0b"
                     "chunked\r\n") == 400);
  CHECK(post_refused("Transfer-Encoding: chunked\x0c\r\n") == 400);
  CHECK(post_refused(std::string_view("Transfer-Encoding: chunked\0\r\n", 29)) == 400);
  CHECK(post_refused(std::string_view("Transfer\0-Encoding: chunked\r\n", 29)) == 400);
  CHECK(post_refused("Transfer-Encoding\xa0: chunked\r\n") == 400);
  CHECK(post_refused("Transfer-Encoding: \xa0"
                     "chunked\r\n") == 501);
}

TEST_CASE("a field line is a name, a colon at once, and a value", "[http]") {
  CHECK(post_refused("NoColon\r\n") == 400);
  CHECK(post_refused(": no name\r\n") == 400);
  CHECK(post_refused("Two Words: x\r\n") == 400);
  CHECK(post_refused("Name(comment): x\r\n") == 400);
  CHECK(post_refused("X: a\x01\r\n") == 400);
  CHECK(post_refused("X: a\x7f\r\n") == 400);
  CHECK(post_refused("X: a:b: c\r\n") == 0);
}

TEST_CASE("lines end in CRLF, the last one too", "[http]") {
  CHECK(refusal_of("GET / HTTP/1.1\r\nHost: a\n\r\n") == 400);
  CHECK(refusal_of("GET / HTTP/1.1\r\nHost: a\r\n\n") == 400);
  CHECK(refusal_of("GET / HTTP/1.1\nHost: a\n\n") == 400);
}

TEST_CASE("fields that have one value may not come twice", "[http]") {
  CHECK(post_refused("Content-Type: application/json\r\nContent-Type: text/plain\r\n") == 400);
  CHECK(post_refused("Origin: https://a\r\nOrigin: https://b\r\n") == 400);
  CHECK(post_refused("Authorization: Basic a\r\nauthorization: Basic b\r\n") == 400);
}

TEST_CASE("Connection may not take away what the node depends on", "[http]") {
  for (const char* name : {"host", "Content-Length", "transfer-encoding", "Content-Type", "Authorization", "Origin",
                           "X-Forwarded-For", "Forwarded", "X-Real-IP", "Sec-WebSocket-Key"}) {
    CAPTURE(name);
    CHECK(post_refused("Connection: close, " + std::string(name) + "\r\n") == 400);
  }
  CHECK(post_refused("Connection: keep-alive, X-Mine\r\n") == 0);
}

TEST_CASE("Connection is a bounded list of tokens", "[http]") {
  CHECK(post_refused("Connection: a b\r\n") == 400);
  CHECK(post_refused("Connection: \"close\"\r\n") == 400);
  CHECK(post_refused("Connection:\r\n") == 0);
  std::string options = "Connection: a";
  for (std::size_t index = 1; index < connection_options_max; ++index) options += ",a";
  CHECK(post_refused(options + "\r\n") == 0);
  CHECK(post_refused(options + "\r\nConnection: a\r\n") == 400);
}

}  // namespace ringwall::http
