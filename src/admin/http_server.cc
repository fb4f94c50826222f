#include <ringwall/admin/http_server.h>
#include <ringwall/check.h>
#include <ringwall/http/writer.h>
#include <ringwall/session/client_address.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace ringwall::admin {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds accept_pause{100};
constexpr std::chrono::milliseconds later_interval{10};  // at which it is looked for

void make_non_blocking(int socket) {
  if (socket >= 0) (void)fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK);
}

std::string response_text(const Response& response, bool to_head) {
  std::array<char, 1024> head;
  static constexpr http::Header no_store{"Cache-Control", "no-store"};
  const auto bytes = http::simple_response(head, {.status = response.status,
                                                  .content_type = response.content_type,
                                                  .body = response.body,
                                                  .to_head = true,
                                                  .extra = {&no_store, 1}});
  RINGWALL_CHECK(bytes.has_value());
  std::string text(head.data(), *bytes);
  return to_head ? text : text.append(response.body);
}

}  // namespace

HttpServer::HttpServer(int tcp, int unix_socket, Handler handler, std::chrono::milliseconds head_time)
    : tcp_(tcp), unix_socket_(unix_socket), handler_(std::move(handler)), head_time_(head_time) {
  make_non_blocking(tcp_);
  make_non_blocking(unix_socket_);
}

HttpServer::~HttpServer() {
  for (const Caller& caller : callers_) close(caller.socket);
  if (tcp_ >= 0) close(tcp_);
  if (unix_socket_ >= 0) close(unix_socket_);
}

void HttpServer::serve(int stop_event, std::chrono::milliseconds wait) {
  const bool accepts = Clock::now() >= accepts_from_;
  if (!accepts) wait = std::min(wait, accept_pause);
  std::vector<pollfd> polled{{.fd = stop_event, .events = POLLIN, .revents = 0},
                             {.fd = accepts ? tcp_ : -1, .events = POLLIN, .revents = 0},
                             {.fd = accepts ? unix_socket_ : -1, .events = POLLIN, .revents = 0}};
  const std::size_t first = polled.size();
  for (const Caller& caller : callers_) {
    const int events = caller.later.valid() ? 0 : caller.out.empty() ? POLLIN : POLLOUT;
    polled.push_back({.fd = events == 0 ? -1 : caller.socket, .events = static_cast<short>(events), .revents = 0});
    if (caller.later.valid()) wait = std::min(wait, later_interval);
    wait = std::min(wait, std::chrono::ceil<std::chrono::milliseconds>(caller.until - Clock::now()));
  }
  if (poll(polled.data(), polled.size(), static_cast<int>(std::max<std::int64_t>(wait.count(), 0))) < 0) return;
  const Clock::time_point now = Clock::now();
  std::vector<Caller> staying;
  for (std::size_t index = 0; index < callers_.size(); ++index) {
    Caller& caller = callers_[index];
    // What has come in time is read, however long the others have kept us.
    if (go_on(caller, polled[first + index].revents != 0) && now < caller.until) {
      staying.push_back(std::move(caller));
    } else {
      close(caller.socket);
    }
  }
  callers_ = std::move(staying);
  // One at a time: whoever is let in has been read from before so many others came that it might have to go.
  if (polled[1].revents != 0) accept_from(tcp_, false);
  if (polled[2].revents != 0) accept_from(unix_socket_, true);
}

void HttpServer::accept_from(int listener, bool is_unix) {
  ring::SocketAddress address{};
  socklen_t bytes = sizeof address.storage;
  const int socket =
      accept4(listener, reinterpret_cast<sockaddr*>(&address.storage), &bytes, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (socket < 0) {
    // For want of descriptors, it may be: the next one would be refused at once.
    if (errno != EAGAIN) accepts_from_ = Clock::now() + accept_pause;
    return;
  }
  const Peer peer = is_unix                                                 ? Peer::unix_socket
                    : session::is_loopback(session::address_bytes(address)) ? Peer::this_machine
                                                                            : Peer::elsewhere;
  if (!make_room(peer)) {
    close(socket);
    return;
  }
  callers_.push_back({.socket = socket, .peer = peer, .until = Clock::now() + head_time_});
}

// The first are the oldest. False: all of the kind wait for answers that come later.
bool HttpServer::make_room(Peer peer) {
  const auto is_peer = [peer](const Caller& caller) { return caller.peer == peer; };
  if (static_cast<std::size_t>(std::ranges::count_if(callers_, is_peer)) < places_of(peer)) return true;
  const auto has_none = [&](const Caller& caller) { return is_peer(caller) && !caller.later.valid(); };
  auto leaving =
      std::ranges::find_if(callers_, [&](const Caller& caller) { return has_none(caller) && caller.out.empty(); });
  if (leaving == callers_.end()) leaving = std::ranges::find_if(callers_, has_none);
  if (leaving == callers_.end()) return false;
  close(leaving->socket);
  callers_.erase(leaving);
  return true;
}

bool HttpServer::go_on(Caller& caller, bool is_ready) {
  if (caller.later.valid()) {
    if (caller.later.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return true;
    begin_answer(caller, caller.later.get());
    return write(caller);
  }
  if (!is_ready) return true;
  return caller.out.empty() ? read(caller) : write(caller);
}

bool HttpServer::read(Caller& caller) {
  std::array<char, 4096> bytes;
  const ssize_t count = recv(caller.socket, bytes.data(), bytes.size(), 0);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  if (count == 0) return false;
  caller.in.append(bytes.data(), static_cast<std::size_t>(count));
  answer(caller);
  return caller.out.empty() || write(caller);
}

void HttpServer::answer(Caller& caller) {
  Request request;
  const auto used = read_request(caller.in, request);
  if (used && *used == 0) return;
  if (!used) {
    return begin_answer(caller, {.status = used.error().status, .body = std::string(used.error().why) + "\n"});
  }
  caller.to_head = request.method == http::Method::head;
  Answer given = handler_(request, caller.peer);
  if (const Response* response = std::get_if<Response>(&given)) return begin_answer(caller, *response);
  caller.later = std::get<std::future<Response>>(std::move(given));
  caller.until = Clock::now() + later_time_max;
}

// The handler may have taken its time: it is counted from here.
void HttpServer::begin_answer(Caller& caller, const Response& response) {
  caller.out = response_text(response, caller.to_head);
  caller.until = Clock::now() + answer_time_max;
}

bool HttpServer::write(Caller& caller) {
  const std::string_view left = std::string_view(caller.out).substr(caller.sent);
  const ssize_t count = send(caller.socket, left.data(), left.size(), MSG_NOSIGNAL);
  if (count < 0) return errno == EAGAIN || errno == EINTR;
  caller.sent += static_cast<std::size_t>(count);
  if (caller.sent < caller.out.size()) return true;
  (void)shutdown(caller.socket, SHUT_WR);
  return false;
}

}  // namespace ringwall::admin
