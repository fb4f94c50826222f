#include <ringwall/admin/request.h>

#include <string>

#include "unit/catch.h"

using namespace ringwall;
using namespace ringwall::admin;

namespace {

Request read(const std::string& line, const std::string& fields = "Host: 127.0.0.1:9090\r\n") {
  Request request;
  const std::string text = line + " HTTP/1.1\r\n" + fields + "\r\n";
  const auto used = read_request(text, request);
  REQUIRE(used.has_value());
  CHECK(*used == text.size());
  return request;
}

bool is_refused(const std::string& line, const std::string& fields = "Host: localhost\r\n") {
  Request request;
  return !read_request(line + " HTTP/1.1\r\n" + fields + "\r\n", request);
}

bool may(Access access, Peer peer, const Request& request, config::Changes changes = config::Changes::loopback) {
  return refusal(access, peer, request, changes) == nullptr;
}

}  // namespace

TEST_CASE("a query is read as names and values, percent-decoded") {
  const Request request = read("POST /ban?address=2001%3Adb8%3A%3A%2F48&for=10m&empty&&b+c=d%20e");
  CHECK(request.path == "/ban");
  CHECK(request.parameter("address") == "2001:db8::/48");
  CHECK(request.parameter("for") == "10m");
  CHECK(request.parameter("empty").empty());
  CHECK(request.parameter("b c") == "d e");
  CHECK(request.parameter("none").empty());
}

TEST_CASE("a query that can be read in two ways is refused") {
  CHECK(is_refused("GET /ban?a=%2"));
  CHECK(is_refused("GET /ban?a=%zz"));
  CHECK(is_refused("GET /ban?a=1&a=2"));
  std::string many = "GET /top?";
  for (std::size_t index = 0; index <= parameters_max; ++index) many += "p" + std::to_string(index) + "=1&";
  CHECK(is_refused(many));
}

TEST_CASE("a head that is not whole is waited for, and a body is refused") {
  Request request;
  CHECK(*read_request("GET /metrics HTTP/1.1\r\nHost: a\r\n", request) == 0);
  CHECK(is_refused("POST /ban", "Host: localhost\r\nContent-Length: 1\r\n"));
  CHECK(is_refused("POST /ban", "Host: localhost\r\nTransfer-Encoding: chunked\r\n"));
  CHECK_FALSE(is_refused("POST /ban", "Host: localhost\r\nContent-Length: 0\r\n"));
}

TEST_CASE("metrics, health and readiness are for everyone, the rest for this machine") {
  const Request request = read("GET /metrics");
  for (const Peer peer : {Peer::unix_socket, Peer::this_machine, Peer::elsewhere}) {
    CHECK(may(Access::everyone, peer, request));
  }
  CHECK(may(Access::reading, Peer::unix_socket, request));
  CHECK(may(Access::reading, Peer::this_machine, request));
  CHECK_FALSE(may(Access::reading, Peer::elsewhere, request));
  CHECK_FALSE(
      may(Access::changing, Peer::elsewhere, read("POST /drain", "Host: 127.0.0.1\r\nX-Ringwall-Admin: 1\r\n")));
}

TEST_CASE("what changes something needs a header over HTTP, and none over the Unix socket") {
  const Request bare = read("POST /drain");
  CHECK_FALSE(may(Access::changing, Peer::this_machine, bare));
  CHECK(may(Access::changing, Peer::unix_socket, bare));
  CHECK(may(Access::changing, Peer::this_machine, read("POST /drain", "Host: [::1]:9090\r\nx-ringwall-admin: 1\r\n")));
}

TEST_CASE("where changes are for the socket no program on this machine makes one over HTTP") {
  const Request ours = read("POST /drain", "Host: 127.0.0.1\r\nX-Ringwall-Admin: 1\r\n");
  CHECK_FALSE(may(Access::changing, Peer::this_machine, ours, config::Changes::socket));
  CHECK(may(Access::reading, Peer::this_machine, ours, config::Changes::socket));
  CHECK(may(Access::changing, Peer::unix_socket, ours, config::Changes::socket));
}

TEST_CASE("a web page may neither read nor change anything") {
  const std::string ours = "X-Ringwall-Admin: 1\r\n";
  for (const std::string& fields :
       {std::string("Host: evil.example:9090\r\n"), std::string("Host: localhost.evil.example\r\n"),
        std::string("Host: 127.0.0.1\r\nOrigin: http://evil.example\r\n"),
        std::string("Host: localhost\r\nOrigin: null\r\n"),
        std::string("Host: localhost\r\nSec-Fetch-Site: cross-site\r\n")}) {
    CHECK_FALSE(may(Access::reading, Peer::this_machine, read("GET /sessions", fields)));
    CHECK_FALSE(may(Access::changing, Peer::this_machine, read("POST /drain", fields + ours)));
    CHECK(may(Access::everyone, Peer::this_machine, read("GET /metrics", fields)));
  }
  for (const std::string host : {"localhost:9090", "127.0.0.1", "[::1]:9090", "LOCALHOST"}) {
    CHECK(may(Access::reading, Peer::this_machine,
              read("GET /sessions", "Host: " + host + "\r\nSec-Fetch-Site: none\r\n")));
  }
}
