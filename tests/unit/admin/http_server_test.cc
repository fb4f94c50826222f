#include <ringwall/admin/http_server.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "unit/catch.h"

using namespace ringwall;
using namespace ringwall::admin;

namespace {

// A server on a port of the system's choice, with a thread of its own.
class Bench {
 public:
  explicit Bench(HttpServer::Handler handler, std::chrono::milliseconds head_time = head_time_max)
      : stop_(eventfd(0, EFD_CLOEXEC)) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t bytes = sizeof address_;
    REQUIRE(bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
    REQUIRE(listen(listener, 64) == 0);
    REQUIRE(getsockname(listener, reinterpret_cast<sockaddr*>(&address_), &bytes) == 0);
    // An abstract name of the kernel's choice: autobind (unix(7)).
    const int unix_listener = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un any{.sun_family = AF_UNIX, .sun_path = {}};
    REQUIRE(bind(unix_listener, reinterpret_cast<const sockaddr*>(&any), sizeof any.sun_family) == 0);
    REQUIRE(listen(unix_listener, 64) == 0);
    REQUIRE(getsockname(unix_listener, reinterpret_cast<sockaddr*>(&unix_address_), &unix_bytes_) == 0);
    thread_ = std::thread([this, listener, unix_listener, handler, head_time] {
      HttpServer server(listener, unix_listener, handler, head_time);
      while (!stopping_) server.serve(stop_, std::chrono::milliseconds(1000));
    });
  }
  ~Bench() {
    stopping_ = true;
    const std::uint64_t one = 1;
    REQUIRE(write(stop_, &one, sizeof one) == sizeof one);
    thread_.join();
    close(stop_);
  }

  [[nodiscard]] int connect() const {
    return connect_to(AF_INET, reinterpret_cast<const sockaddr*>(&address_), sizeof address_);
  }
  [[nodiscard]] int connect_unix() const {
    return connect_to(AF_UNIX, reinterpret_cast<const sockaddr*>(&unix_address_), unix_bytes_);
  }

  static int connect_to(int family, const sockaddr* address, socklen_t bytes) {
    const int socket = ::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::connect(socket, address, bytes) == 0);
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    return socket;
  }

  [[nodiscard]] std::string ask(const std::vector<std::string>& pieces) const {
    const int socket = connect();
    for (const std::string& piece : pieces) REQUIRE(send(socket, piece.data(), piece.size(), MSG_NOSIGNAL) > 0);
    return rest_of(socket);
  }

  static std::string rest_of(int socket) {
    std::string text;
    char bytes[4096];
    for (ssize_t count = 0; (count = recv(socket, bytes, sizeof bytes, 0)) > 0;) {
      text.append(bytes, static_cast<std::size_t>(count));
    }
    close(socket);
    return text;
  }

 private:
  int stop_;
  sockaddr_in address_{};
  sockaddr_un unix_address_{};
  socklen_t unix_bytes_ = sizeof unix_address_;
  std::atomic<bool> stopping_ = false;
  std::thread thread_;
};

Response echo(const Request& request, Peer peer) {
  return {.status = 200, .body = request.path + (peer == Peer::this_machine ? " from here\n" : "\n")};
}

bool is_open(int socket) {
  char byte = 0;
  return recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

const std::string get = "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n";

}  // namespace

TEST_CASE("a request in pieces is answered when it is whole, and the connection ends") {
  const Bench bench(echo);
  const std::string answer = bench.ask({"GET /met", "rics HTTP/1.1\r\nHost: loc", "alhost\r\n\r\n"});
  CHECK(answer.starts_with("HTTP/1.1 200 OK\r\n"));
  CHECK(answer.find("Connection: close\r\n") != answer.npos);
  CHECK(answer.ends_with("\r\n\r\n/metrics from here\n"));
}

TEST_CASE("HEAD gets the length and no body") {
  const std::string answer = Bench(echo).ask({"HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"});
  CHECK(answer.find("Content-Length: 19\r\n") != answer.npos);
  CHECK(answer.ends_with("\r\n\r\n"));
}

TEST_CASE("what is no HTTP is refused, and a head without end too") {
  const Bench bench(echo);
  CHECK(bench.ask({"what is this\r\n\r\n"}).starts_with("HTTP/1.1 400 "));
  CHECK(bench.ask({"GET / HTTP/1.1\r\nHost: a\r\nA: " + std::string(http::head_bytes_max, 'a')})
            .starts_with("HTTP/1.1 431 "));
}

TEST_CASE("a large answer arrives whole at a reader who begins late") {
  const std::string body(8 << 20, 'x');
  const Bench bench([&](const Request&, Peer) { return Response{.status = 200, .body = body}; });
  const int socket = bench.connect();
  REQUIRE(send(socket, get.data(), get.size(), MSG_NOSIGNAL) > 0);
  CHECK(bench.ask({"GET / HTTP/1.1\r\nHost: a\r\n\r\n"}).size() > body.size());  // others are served meanwhile
  CHECK(Bench::rest_of(socket).ends_with("\r\n\r\n" + body));
}

TEST_CASE("who says nothing for longest makes room for who asks, and the Unix socket has places of its own") {
  const Bench bench(echo, std::chrono::minutes(10));
  std::vector<int> silent;
  for (std::size_t index = 0; index < places_of(Peer::this_machine) + 3; ++index) silent.push_back(bench.connect());
  CHECK(bench.ask({get}).starts_with("HTTP/1.1 200 "));  // the fourth that has to be made room for
  for (std::size_t index = 0; index < silent.size(); ++index) {
    if (index < 4) {
      CHECK(Bench::rest_of(silent[index]).empty());
    } else {
      CHECK(is_open(silent[index]));
      close(silent[index]);
    }
  }
  silent.clear();
  for (std::size_t index = 0; index < 2 * callers_max; ++index) silent.push_back(bench.connect());
  const int unix_caller = bench.connect_unix();
  REQUIRE(send(unix_caller, get.data(), get.size(), MSG_NOSIGNAL) > 0);
  CHECK(Bench::rest_of(unix_caller).starts_with("HTTP/1.1 200 "));
  for (const int socket : silent) close(socket);
}

TEST_CASE("a request that takes too long to come is not waited for, however often a byte of it comes") {
  const Bench bench(echo, std::chrono::milliseconds(100));
  const int socket = bench.connect();
  // With 20 ms between two bytes it would take longer than any test.
  for (std::size_t sent = 0; sent < 1'000 && is_open(socket); ++sent) {
    const std::string_view piece = sent < get.size() ? std::string_view(get).substr(0, 1) : "G";
    if (send(socket, piece.data(), 1, MSG_NOSIGNAL) < 0) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  CHECK(Bench::rest_of(socket).empty());
}

TEST_CASE("an answer that comes later keeps nobody else waiting") {
  std::promise<Response> promise;
  const Bench bench([&promise](const Request& request, Peer peer) -> Answer {
    if (request.path == "/later") return promise.get_future();
    return echo(request, peer);
  });
  const int waiting = bench.connect();
  const std::string later = "POST /later HTTP/1.1\r\nHost: localhost\r\n\r\n";
  REQUIRE(send(waiting, later.data(), later.size(), MSG_NOSIGNAL) > 0);
  std::vector<int> silent;
  for (std::size_t index = 0; index < callers_max; ++index) silent.push_back(bench.connect());
  CHECK(bench.ask({get}).starts_with("HTTP/1.1 200 "));
  CHECK(is_open(waiting));
  promise.set_value({.status = 409, .body = "it was refused\n"});
  const std::string answer = Bench::rest_of(waiting);
  CHECK(answer.starts_with("HTTP/1.1 409 "));
  CHECK(answer.ends_with("\r\n\r\nit was refused\n"));
  for (const int socket : silent) close(socket);
}
