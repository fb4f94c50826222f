#include <ringwall/http/forward.h>

#include <array>
#include <limits>
#include <string>

#include "heads.h"
#include "unit/catch.h"

namespace ringwall::http {
namespace {

constexpr Origin ipv4{.address = "192.0.2.1", .proto = "https", .host_for_node = "localhost:9944"};

std::string forwarded(std::string_view text, BodyPlan body = {}, const Origin& origin = ipv4) {
  std::array<char, head_bytes_max + forward_bytes_added_max> memory;
  const auto bytes = write_request_to_node(memory, request_of(text), origin, body);
  REQUIRE(bytes);
  return {memory.data(), *bytes};
}

std::string answered(std::string_view text, BodyPlan body, bool keep_alive = true, bool request_was_head = false) {
  std::array<char, head_bytes_max + forward_bytes_added_max> memory;
  const auto bytes = write_response_to_client(memory, answer_of(text, request_was_head), body, keep_alive);
  REQUIRE(bytes);
  return {memory.data(), *bytes};
}

constexpr std::string_view origin_lines =
    "Forwarded: for=192.0.2.1;proto=https\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\n"
    "X-Real-IP: 192.0.2.1\r\nVia: 1.1 ringwall\r\n";

}  // namespace

TEST_CASE("a request reaches the node with the Host it accepts, the truth about its origin, and our framing",
          "[http]") {
  CHECK(forwarded("POST /a?b HTTP/1.1\r\nHost: rpc.example.com\r\nContent-Type: application/json\r\n"
                  "Transfer-Encoding: chunked\r\nAccept: */*\r\n\r\n",
                  {Framing::length, 17}) ==
        "POST /a?b HTTP/1.1\r\nHost: localhost:9944\r\nContent-Type: application/json\r\nAccept: */*\r\n" +
            std::string(origin_lines) + "Content-Length: 17\r\nConnection: keep-alive\r\n\r\n");
}

TEST_CASE("fields of one hop stay on it, and so do those that Connection names", "[http]") {
  const std::string text = forwarded(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: X-Mine, keep-alive, upgrade, TE, HTTP2-Settings\r\nKeep-Alive: "
      "timeout=5\r\n"
      "Proxy-Authorization: Basic x\r\nProxy-Connection: close\r\nTE: trailers\r\nTrailer: A\r\nUpgrade: h2c\r\n"
      "Expect: 100-continue\r\nHTTP2-Settings: AAA\r\nx-mine: 1\r\nContent-Length: 0\r\nX-Yours: 2\r\n\r\n");
  CHECK(text == "GET / HTTP/1.1\r\nHost: localhost:9944\r\nX-Yours: 2\r\n" + std::string(origin_lines) +
                    "Connection: keep-alive\r\n\r\n");
}

TEST_CASE("what a client claims about its origin is replaced", "[http]") {
  const std::string text = forwarded(
      "GET / HTTP/1.1\r\nHost: a\r\nForwarded: for=10.0.0.1\r\nforwarded: for=10.0.0.2\r\nX-Forwarded-For: 10.0.0.1\r\n"
      "X-Forwarded-Proto: http\r\nX-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\nx-real-ip: 10.0.0.1\r\n\r\n");
  CHECK(text ==
        "GET / HTTP/1.1\r\nHost: localhost:9944\r\n" + std::string(origin_lines) + "Connection: keep-alive\r\n\r\n");
}

TEST_CASE("an IPv6 address is bracketed and quoted in Forwarded, and bare elsewhere", "[http]") {
  const std::string text = forwarded("GET / HTTP/1.1\r\nHost: a\r\n\r\n", {},
                                     {.address = "2001:db8::1", .proto = "http", .host_for_node = "a"});
  const RequestHead head = request_of(text);
  CHECK(head.find("forwarded") == "for=\"[2001:db8::1]\";proto=http");
  CHECK(head.find("x-forwarded-for") == "2001:db8::1");
  CHECK(head.find("x-real-ip") == "2001:db8::1");
  CHECK(head.find("x-forwarded-proto") == "http");
}

TEST_CASE("an absolute-form target reaches the node in origin-form", "[http]") {
  CHECK(forwarded("GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("GET /b?c HTTP/1.1\r\n"));
  CHECK(forwarded("GET http://a?c HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("GET /?c HTTP/1.1\r\n"));
  CHECK(forwarded("GET /? HTTP/1.0\r\n\r\n").starts_with("GET /? HTTP/1.1\r\n"));
  CHECK(forwarded("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("OPTIONS * HTTP/1.1\r\n"));
}

TEST_CASE("a chunked plan is written as Transfer-Encoding", "[http]") {
  const std::string text = forwarded("POST / HTTP/1.0\r\nContent-Length: 5\r\n\r\n", {Framing::chunked, 0});
  const RequestHead head = request_of(text);
  CHECK(head.framing == Framing::chunked);
  CHECK_FALSE(head.find("content-length"));
}

TEST_CASE("forwarding adds no more than its bound, also to the largest head", "[http]") {
  const std::string empty = "GET / HTTP/1.1\r\nHost: a\r\nA: \r\n\r\n";
  const std::string large =
      "GET / HTTP/1.1\r\nHost: a\r\nA: " + std::string(head_bytes_max - empty.size(), 'a') + "\r\n\r\n";
  RequestHead head;
  REQUIRE(parse_request_head(large, head) == head_bytes_max);
  constexpr std::string_view longest_address = "2001:0db8:0000:0000:0000:ffff:255.255.255.255";
  const std::string host(255, 'h');
  std::string memory(head_bytes_max + forward_bytes_added_max + host.size(), '\0');
  const Origin origin{.address = longest_address, .proto = "https", .host_for_node = host};
  CHECK(write_request_to_node(memory, head, origin, {Framing::length, std::numeric_limits<std::uint64_t>::max()}));
  std::string short_by_far(head_bytes_max, '\0');
  CHECK(write_request_to_node(short_by_far, head, origin, {}).error() == WriteFault::too_long);
}

TEST_CASE("an answer reaches the client with our framing and without the node's hop", "[http]") {
  CHECK(
      answered("HTTP/1.1 200 Fine\r\nTransfer-Encoding: chunked\r\nConnection: X-Mine\r\nX-Mine: 1\r\nKeep-Alive: a\r\n"
               "Content-Type: application/json\r\nProxy-Authenticate: x\r\nAccess-Control-Allow-Origin: *\r\n\r\n",
               {Framing::chunked, 0}) ==
      "HTTP/1.1 200 Fine\r\nContent-Type: application/json\r\nAccess-Control-Allow-Origin: *\r\n"
      "Transfer-Encoding: chunked\r\nConnection: keep-alive\r\n\r\n");
  CHECK(answered("HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n", {Framing::length, 5}, false) ==
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n");
}

TEST_CASE("an answer until close closes, whatever was wished", "[http]") {
  CHECK(answered("HTTP/1.1 200 OK\r\n\r\n", {Framing::until_close, 0}) ==
        "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
}

TEST_CASE("an answer without a body keeps the length that describes what HEAD asked about", "[http]") {
  CHECK(answered("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", {}, true, true) ==
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n");
  CHECK(answered("HTTP/1.1 200 OK\r\n\r\n", {}, true, true) == "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\n\r\n");
  CHECK(answered("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", {}) ==
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n");
  CHECK(answered("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", {}) ==
        "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n");
}

TEST_CASE("an answer whose body is not passed on says that it has none", "[http]") {
  CHECK(answered("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", {}) ==
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n");
}

}  // namespace ringwall::http
