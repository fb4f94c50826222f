#include <string>

#include <ringwall/http/head.h>

#include "heads.h"
#include "unit/catch.h"

namespace ringwall::http {

TEST_CASE("a node's answer is read in full", "[http]") {
  const ResponseHead head = answer_of(
      "HTTP/1.1 200 OK\r\n"
      "content-type: application/json; charset=utf-8\r\n"
      "content-length: 38\r\n"
      "date: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
      "\r\n");
  CHECK(head.status == 200);
  CHECK(head.reason == "OK");
  CHECK(head.minor == 1);
  CHECK(head.framing == Framing::length);
  CHECK(head.content_length == 38);
  CHECK(head.keep_alive);
  CHECK(head.find("Content-Type") == "application/json; charset=utf-8");
}

TEST_CASE("a status line is HTTP/1.x, three digits and any reason or none", "[http]") {
  CHECK(answer_of("HTTP/1.1 404 Not  Found \r\n\r\n").reason == "Not  Found");
  CHECK(answer_of("HTTP/1.1 204 \r\n\r\n").reason == "");
  CHECK(answer_of("HTTP/1.1 204\r\n\r\n").reason == "");
  CHECK(answer_of("HTTP/1.1 599 \xc3\xa9\r\n\r\n").status == 599);
  for (const char* line :
       {"HTTP/2 200 OK", "HTTP/1.2 200 OK", "http/1.1 200 OK", "HTTP/1.1  200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK",
        "HTTP/1.1 99 OK", "HTTP/1.1 099 OK", "HTTP/1.1 600 OK", "HTTP/1.1 200OK", "HTTP/1.1 200 O\x01K",
        "HTTP/1.1 200 O\rK", "ICY 200 OK", "\r\nHTTP/1.1 200 OK", "{\"jsonrpc\":"}) {
    CAPTURE(line);
    CHECK(is_broken_answer(std::string(line) + "\r\n\r\n"));
  }
  CHECK(is_broken_answer("HTTP/1.1 200 OK\n\r\n"));
}

TEST_CASE("garbage from a node is seen before any line ends", "[http]") {
  ResponseHead head;
  CHECK_FALSE(parse_response_head("SSH-2.0-OpenSSH", false, head));
  CHECK_FALSE(parse_response_head("HTTP/1.1 2x", false, head));
}

TEST_CASE("an answer without length or chunks ends with its connection", "[http]") {
  const ResponseHead head = answer_of("HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n");
  CHECK(head.framing == Framing::until_close);
  CHECK_FALSE(head.keep_alive);
}

TEST_CASE("a chunked answer keeps its connection", "[http]") {
  const ResponseHead head = answer_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
  CHECK(head.framing == Framing::chunked);
  CHECK(head.keep_alive);
}

TEST_CASE("answers to HEAD, 304, 204 and 1xx have no body", "[http]") {
  const ResponseHead to_head = answer_of("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", true);
  CHECK(to_head.framing == Framing::none);
  CHECK(to_head.content_length == 5);
  CHECK(to_head.keep_alive);
  CHECK(answer_of("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", true).framing == Framing::none);
  CHECK(answer_of("HTTP/1.1 200 OK\r\n\r\n", true).keep_alive);
  CHECK(answer_of("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n").framing == Framing::none);
  CHECK(answer_of("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n").framing == Framing::none);
  CHECK(answer_of("HTTP/1.1 100 Continue\r\n\r\n").framing == Framing::none);
  CHECK(answer_of("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n").framing == Framing::none);
}

TEST_CASE("a body where there can be none is broken", "[http]") {
  CHECK(is_broken_answer("HTTP/1.1 204 No Content\r\nContent-Length: 1\r\n\r\n"));
  CHECK(is_broken_answer("HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n"));
  CHECK(is_broken_answer("HTTP/1.1 100 Continue\r\nContent-Length: 1\r\n\r\n"));
  CHECK(is_broken_answer("HTTP/1.1 101 Switching Protocols\r\nTransfer-Encoding: chunked\r\n\r\n"));
}

TEST_CASE("an answer with two framings is broken, whoever asked", "[http]") {
  for (const bool request_was_head : {false, true}) {
    for (const char* fields :
         {"Content-Length: 1\r\nContent-Length: 1\r\n", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n",
          "Transfer-Encoding: gzip, chunked\r\n", "Content-Length: x\r\n", "Content-Length : 1\r\n", "A: b\r\n c\r\n",
          "A: b\nC: d\r\n", "Connection: content-length\r\n", "Content-Length: 99999999999999999999\r\n"}) {
      CAPTURE(fields);
      CHECK(is_broken_answer("HTTP/1.1 200 OK\r\n" + std::string(fields) + "\r\n", request_was_head));
    }
  }
  CHECK(is_broken_answer("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"));
}

TEST_CASE("an answer keeps its connection by version and by what Connection says", "[http]") {
  CHECK_FALSE(answer_of("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").keep_alive);
  CHECK_FALSE(answer_of("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n").keep_alive);
  CHECK(answer_of("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n").keep_alive);
}

TEST_CASE("an answer's head is bounded too", "[http]") {
  ResponseHead head;
  const std::string large = "HTTP/1.1 200 OK\r\nA: " + std::string(head_bytes_max, 'a') + "\r\n\r\n";
  CHECK_FALSE(parse_response_head(large, false, head));
  CHECK(parse_response_head(large, false, head, large.size()) == large.size());
  CHECK(is_broken_answer("HTTP/1.1 200 " + std::string(200, 'x') + "\n"));
}

TEST_CASE("a head after a 1xx answer is one of its own", "[http]") {
  const std::string both = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
  ResponseHead head;
  const auto first = parse_response_head(both, false, head);
  REQUIRE(first);
  CHECK(head.status == 100);
  REQUIRE(parse_response_head(std::string_view(both).substr(*first), false, head));
  CHECK(head.status == 200);
  CHECK(head.content_length == 2);
}

}  // namespace ringwall::http
