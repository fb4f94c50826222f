#include <string>

#include <ringwall/http/head.h>

#include "heads.h"
#include "unit/catch.h"

namespace ringwall::http {
namespace {

std::string with_fields(std::string_view fields) {
  return "GET / HTTP/1.1\r\nHost: example.com\r\n" + std::string(fields) + "\r\n";
}

std::string with_target(std::string_view target, std::string_view method = "GET") {
  return std::string(method) + " " + std::string(target) + " HTTP/1.1\r\nHost: example.com\r\n\r\n";
}

std::string with_host(std::string_view host) { return "GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n"; }

}  // namespace

TEST_CASE("a browser's request for a WebSocket is read in full", "[http]") {
  const RequestHead head = request_of(
      "GET /rpc?chain=dot HTTP/1.1\r\n"
      "Host: rpc.example.com:8443\r\n"
      "User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\n"
      "Sec-WebSocket-Version: 13\r\n"
      "Origin:https://polkadot.js.org\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
      "Connection: keep-alive, Upgrade\r\n"
      "Upgrade:\twebsocket \r\n"
      "X-Empty:\r\n"
      "\r\n");
  CHECK(head.method == Method::get);
  CHECK(head.method_text == "GET");
  CHECK(head.target == "/rpc?chain=dot");
  CHECK(head.path == "/rpc");
  CHECK(head.query == "chain=dot");
  CHECK(head.has_query);
  CHECK(head.host == "rpc.example.com:8443");
  CHECK(head.minor == 1);
  CHECK(head.headers().size() == 8);
  CHECK(head.find("origin") == "https://polkadot.js.org");
  CHECK(head.find("upgrade") == "websocket");
  CHECK(head.find("x-empty") == "");
  CHECK(head.framing == Framing::none);
  CHECK(head.keep_alive);
  CHECK(head.wants_websocket);
  CHECK_FALSE(head.expect_continue);
}

TEST_CASE("a head ends where its empty line does, and the next request begins there", "[http]") {
  const std::string first = with_fields("");
  const std::string pipelined = first + "POST /second HTTP/1.1\r\n";
  RequestHead head;
  CHECK(parse_request_head(pipelined, head) == first.size());
}

TEST_CASE("parsing overwrites what a head held before", "[http]") {
  RequestHead head;
  REQUIRE(parse_request_head("POST /a?b HTTP/1.0\r\nContent-Length: 5\r\n\r\n", head));
  REQUIRE(parse_request_head(with_fields(""), head));
  CHECK(head.method == Method::get);
  CHECK(head.framing == Framing::none);
  CHECK(head.content_length == 0);
  CHECK_FALSE(head.has_query);
  CHECK(head.minor == 1);
  CHECK(head.headers().size() == 1);
}

TEST_CASE("methods are known by their exact name", "[http]") {
  CHECK(request_of(with_target("/", "HEAD")).method == Method::head);
  CHECK(request_of(with_target("/", "POST")).method == Method::post);
  CHECK(request_of(with_target("/", "OPTIONS")).method == Method::options);
  CHECK(request_of(with_target("/", "get")).method == Method::other);
  CHECK(request_of(with_target("/", "PURGE")).method_text == "PURGE");
  CHECK(refusal_of(with_target("example.com:443", "CONNECT")) == 501);
  CHECK(request_of(with_target("/", std::string(method_bytes_max, 'M'))).method == Method::other);
  CHECK(refusal_of(with_target("/", std::string(method_bytes_max + 1, 'M'))) == 501);
}

TEST_CASE("a request line has one space between its three parts and CRLF after them", "[http]") {
  const std::string host = "\r\nHost: example.com\r\n\r\n";
  CHECK(refusal_of("GET  / HTTP/1.1" + host) == 400);
  CHECK(refusal_of("GET /  HTTP/1.1" + host) == 400);
  CHECK(refusal_of("GET / HTTP/1.1 " + host) == 400);
  CHECK(refusal_of("GET\t/ HTTP/1.1" + host) == 400);
  CHECK(refusal_of(" GET / HTTP/1.1" + host) == 400);
  CHECK(refusal_of("GET / /b HTTP/1.1" + host) == 400);
  CHECK(refusal_of("GET /" + host) == 400);
  CHECK(refusal_of("GET" + host) == 400);
  CHECK(refusal_of("GET / http/1.1" + host) == 400);
  CHECK(refusal_of("GET / HTTP/1.1\nHost: example.com\r\n\r\n") == 400);
  CHECK(refusal_of("GET / HTTP/1.1\rHost: example.com\r\n\r\n") == 400);
  CHECK(refusal_of("G\xc3\x89T / HTTP/1.1" + host) == 400);
}

TEST_CASE("versions other than 1.0 and 1.1 are answered 505", "[http]") {
  CHECK(refusal_of("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") == 505);
  CHECK(refusal_of("GET / HTTP/1.2\r\n\r\n") == 505);
  CHECK(refusal_of("GET / HTTP/0.9\r\n\r\n") == 505);
  CHECK(refusal_of("GET / HTTP/3.0\r\n\r\n") == 505);
  CHECK(refusal_of("GET / HTTP/1.10\r\n\r\n") == 400);
  CHECK(refusal_of("GET / HTTP/11\r\n\r\n") == 400);
  CHECK(refusal_of("GET / HTTP/1,1\r\n\r\n") == 400);
}

TEST_CASE("a TLS handshake on a plain port is refused at its first byte", "[http]") {
  RequestHead head;
  const auto parsed = parse_request_head("\x16", head);
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().status == 400);
  CHECK(parsed.error().why.find("TLS") != std::string_view::npos);
  CHECK(refusal_of(std::string_view("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11)) == 400);
  CHECK(refusal_of(std::string_view("\x80\x2e\x01\x00\x02", 5)) == 400);
}

TEST_CASE("empty lines before a request are skipped up to a bound", "[http]") {
  const std::string request = with_fields("");
  CHECK(request_of("\r\n\r\n" + request).path == "/");
  CHECK(refusal_of("\r\n\r\n\r\n" + request) == 400);
  CHECK(refusal_of("\n" + request) == 400);
  CHECK(refusal_of("\r" + request) == 400);
}

TEST_CASE("an origin-form target is split at its first question mark", "[http]") {
  CHECK(request_of(with_target("/a/b?c=d?e")).path == "/a/b");
  CHECK(request_of(with_target("/a/b?c=d?e")).query == "c=d?e");
  CHECK(request_of(with_target("/?")).has_query);
  CHECK_FALSE(request_of(with_target("/")).has_query);
  CHECK(request_of(with_target("//other.com/x")).path == "//other.com/x");
  CHECK(request_of(with_target("//other.com/x")).host == "example.com");
  CHECK(request_of(with_target("/a%2Fb?x[0]=%00")).path == "/a%2Fb");
}

TEST_CASE("targets with characters or escapes that could be read in two ways are refused", "[http]") {
  for (const char c : std::string_view("\0\t\"#<>\\^`{|}\x7f\x80", 14)) {
    CAPTURE(static_cast<int>(c));
    CHECK(refusal_of(with_target(std::string("/a") + c)) == 400);
  }
  CHECK(refusal_of(with_target("/a%")) == 400);
  CHECK(refusal_of(with_target("/a%2")) == 400);
  CHECK(refusal_of(with_target("/a%2g")) == 400);
  CHECK(refusal_of(with_target("path")) == 400);
  CHECK(refusal_of(with_target("example.com:443")) == 400);
}

TEST_CASE("an absolute-form target gives path and host, and must agree with Host", "[http]") {
  const std::string text = with_target("http://EXAMPLE.com/a?b");
  const RequestHead head = request_of(text);
  CHECK(head.path == "/a");
  CHECK(head.query == "b");
  CHECK(head.host == "EXAMPLE.com");
  CHECK(request_of(with_target("wss://example.com")).path == "/");
  CHECK(request_of(with_target("HTTPS://example.com?q")).path == "/");
  CHECK(request_of(with_target("HTTPS://example.com?q")).query == "q");
  CHECK(request_of(with_target("http://example.com", "OPTIONS")).path == "*");
  CHECK(request_of("GET http://a.example/ HTTP/1.0\r\n\r\n").host == "a.example");
  CHECK(refusal_of(with_target("http://example.org/")) == 400);
  CHECK(refusal_of(with_target("http://example.com:80/")) == 400);
  CHECK(refusal_of(with_target("http://user@example.com/")) == 400);
  CHECK(refusal_of(with_target("http:///a")) == 400);
  CHECK(refusal_of(with_target("ftp://example.com/")) == 400);
  CHECK(refusal_of("GET http://example.com/ HTTP/1.1\r\n\r\n") == 400);
}

TEST_CASE("an asterisk is a target for OPTIONS only", "[http]") {
  CHECK(request_of(with_target("*", "OPTIONS")).path == "*");
  CHECK(refusal_of(with_target("*")) == 400);
  CHECK(refusal_of(with_target("*a", "OPTIONS")) == 400);
}

TEST_CASE("HTTP/1.1 has exactly one Host; HTTP/1.0 may have none", "[http]") {
  CHECK(refusal_of("GET / HTTP/1.1\r\n\r\n") == 400);
  CHECK(request_of("GET / HTTP/1.0\r\n\r\n").host == "");
  CHECK(refusal_of(with_fields("Host: example.com\r\n")) == 400);
  CHECK(refusal_of("GET / HTTP/1.0\r\nHost: a\r\nhost: a\r\n\r\n") == 400);
}

TEST_CASE("Host is a name or an address with an optional port", "[http]") {
  for (const char* host :
       {"localhost", "rpc.example.com:443", "127.0.0.1:9944", "[::1]", "[2001:db8::1]:65535", "a_b-c.d"}) {
    CAPTURE(host);
    CHECK(request_of(with_host(host)).host == host);
  }
  for (const char* host :
       {"",     "a b",  "a,b", "a/b", "a@b",   "user@a",     "<script>",  "a:",     "a:65536", "a:123456", "a:8o",
        "a:-1", "[::1", "::1", "[]",  "[::g]", "[::1%25lo]", "[1.2.3.4]", "[::1]x", ":80",     "a'b",      "a%41"}) {
    CAPTURE(host);
    CHECK(refusal_of(with_host(host)) == 400);
  }
  CHECK(refusal_of(with_host(std::string(255, 'a'))) == 0);
  CHECK(refusal_of(with_host(std::string(256, 'a'))) == 400);
}

TEST_CASE("a host is told apart from its port", "[http]") {
  CHECK(host_without_port("example.com:8443") == "example.com");
  CHECK(host_without_port("example.com") == "example.com");
  CHECK(host_without_port("[::1]:80") == "[::1]");
  CHECK(host_without_port("[::1]") == "[::1]");
  CHECK(host_without_port("") == "");
}

TEST_CASE("a connection is kept by version and by what Connection says", "[http]") {
  CHECK(request_of(with_fields("")).keep_alive);
  CHECK_FALSE(request_of(with_fields("Connection: Close\r\n")).keep_alive);
  CHECK_FALSE(request_of(with_fields("Connection: keep-alive\r\nConnection: foo, close\r\n")).keep_alive);
  CHECK_FALSE(request_of("GET / HTTP/1.0\r\n\r\n").keep_alive);
  CHECK(request_of("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n").keep_alive);
  CHECK_FALSE(request_of("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n").keep_alive);
}

TEST_CASE("Expect is 100-continue, matters with a body, and is unknown to HTTP/1.0", "[http]") {
  CHECK(request_of(with_fields("Content-Length: 1\r\nExpect: 100-Continue\r\n")).expect_continue);
  CHECK(request_of(with_fields("Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n")).expect_continue);
  CHECK_FALSE(request_of(with_fields("Expect: 100-continue\r\n")).expect_continue);
  CHECK_FALSE(request_of(with_fields("Content-Length: 0\r\nExpect: 100-continue\r\n")).expect_continue);
  CHECK(refusal_of(with_fields("Expect: 200-ok\r\n")) == 417);
  CHECK(refusal_of(with_fields("Expect: 100-continue, more\r\n")) == 417);
  CHECK(refusal_of(with_fields("Expect:\r\n")) == 417);
  CHECK_FALSE(request_of("POST / HTTP/1.0\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n").expect_continue);
}

TEST_CASE("an Upgrade to something else than websocket, or in HTTP/1.0, asks for nothing", "[http]") {
  CHECK_FALSE(request_of(with_fields("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n")).wants_websocket);
  CHECK_FALSE(request_of("GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n").wants_websocket);
  CHECK(request_of(with_fields("Connection: upgrade\r\nUpgrade: h2c, WebSocket\r\n")).wants_websocket);
}

TEST_CASE("a target may be target_bytes_max long and not one byte more", "[http]") {
  const auto target = [](std::size_t bytes) { return "/" + std::string(bytes - 1, 'a'); };
  RequestHead head;
  CHECK(parse_request_head(with_target(target(target_bytes_max)), head));
  const auto parsed = parse_request_head(with_target(target(target_bytes_max + 1)), head);
  REQUIRE_FALSE(parsed);
  CHECK(parsed.error().status == 414);
  const auto unfinished = parse_request_head("GET " + target(target_bytes_max + 1), head);
  REQUIRE_FALSE(unfinished);
  CHECK(unfinished.error().status == 414);
}

TEST_CASE("a head may be head_bytes_max long and not one byte more", "[http]") {
  const std::size_t rest = with_fields("A: \r\n").size();
  const auto head_of = [rest](std::size_t bytes) {
    return with_fields("A: " + std::string(bytes - rest, 'a') + "\r\n");
  };
  RequestHead head;
  CHECK(parse_request_head(head_of(head_bytes_max), head) == head_bytes_max);
  const std::string large = head_of(head_bytes_max + 1);
  for (const std::size_t bytes : {head_bytes_max, head_bytes_max + 1}) {
    const auto parsed = parse_request_head(std::string_view(large).substr(0, bytes), head);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().status == 431);
  }
  CHECK(parse_request_head(std::string_view(large).substr(0, head_bytes_max - 1), head) == 0);
  CHECK(parse_request_head(large, head, large.size()) == large.size());
  CHECK_FALSE(parse_request_head(head_of(1000), head, 999));
}

TEST_CASE("a head may have headers_max fields and not one more, whole or not", "[http]") {
  std::string fields;
  for (std::size_t index = 1; index < headers_max; ++index) fields += "A: b\r\n";
  CHECK(request_of(with_fields(fields)).headers().size() == headers_max);
  CHECK(refusal_of(with_fields(fields + "A: b\r\n")) == 431);
  RequestHead head;
  CHECK_FALSE(parse_request_head("GET / HTTP/1.1\r\nHost: a\r\n" + fields + "A: b\r\n", head));
}

}  // namespace ringwall::http
