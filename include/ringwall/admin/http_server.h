// http_server.h: a small HTTP/1.1 server for a handful of callers: one request a connection, one thread for all.
//
// It is nobody's way to a shard. Each kind of caller has places of its own; where they are full, the one who has been
// silent for longest makes room. So who is slow or silent costs itself its connection, and who asks at once is
// answered. A handler may take its time (a second, while shards are asked); the others wait for it, but not for an
// answer that comes later. Debian's cpp-httplib was not taken: it brings OpenSSL and brotli into the process and a
// thread a caller; the heads are read by our own parser, which is fuzzed. Source: RFC 9112.
#pragma once

#include <ringwall/admin/request.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <future>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace ringwall::admin {

inline constexpr std::size_t callers_max = 32;  // of all kinds
[[nodiscard]] constexpr std::size_t places_of(Peer peer) { return peer == Peer::unix_socket ? 8 : 12; }
static_assert(places_of(Peer::unix_socket) + places_of(Peer::this_machine) + places_of(Peer::elsewhere) == callers_max);

inline constexpr std::chrono::milliseconds head_time_max{2'000};     // from accept to the last byte of the request
inline constexpr std::chrono::milliseconds later_time_max{60'000};   // until an answer that comes later
inline constexpr std::chrono::milliseconds answer_time_max{10'000};  // from its first byte to its last

struct Response {
  int status = 200;
  std::string body{};
  std::string_view content_type = "text/plain; charset=utf-8";
};

// One that comes later is given by another thread; its promise must be kept.
using Answer = std::variant<Response, std::future<Response>>;

class HttpServer {
 public:
  using Handler = std::function<Answer(const Request& request, Peer peer)>;

  // Takes the listening sockets, which are made non-blocking; -1: none.
  HttpServer(int tcp, int unix_socket, Handler handler, std::chrono::milliseconds head_time = head_time_max);
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer();

  // Serves who is there, or waits for somebody, at most so long or until `stop_event` is readable.
  void serve(int stop_event, std::chrono::milliseconds wait);

 private:
  struct Caller {
    int socket;
    Peer peer;
    std::chrono::steady_clock::time_point until;
    std::string in{};
    std::future<Response> later{};  // valid: asked, and not answered yet
    bool to_head = false;
    std::string out{};
    std::size_t sent = 0;
  };

  void accept_from(int listener, bool is_unix);
  [[nodiscard]] bool make_room(Peer peer);
  // False: it has ended.
  [[nodiscard]] bool go_on(Caller& caller, bool is_ready);
  [[nodiscard]] bool read(Caller& caller);
  [[nodiscard]] bool write(Caller& caller);
  void answer(Caller& caller);
  static void begin_answer(Caller& caller, const Response& response);

  const int tcp_;
  const int unix_socket_;
  const Handler handler_;
  const std::chrono::milliseconds head_time_;
  std::vector<Caller> callers_;
  std::chrono::steady_clock::time_point accepts_from_{};
};

}  // namespace ringwall::admin
