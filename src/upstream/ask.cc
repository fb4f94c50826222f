#include <ringwall/check.h>
#include <ringwall/http/writer.h>
#include <ringwall/upstream/ask.h>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>
#include <utility>

namespace ringwall::upstream {

namespace {

std::string request_for(const Target& target, std::string_view call, Conversation::Turn turn) {
  std::array<char, 512> head;
  http::HeadWriter writer(head);
  writer.request_line("POST", "/")
      .field("Host", "localhost:" + std::to_string(target.port()))  // all that its filter takes
      .field("Content-Type", "application/json")
      .field("Content-Length", call.size());
  if (turn == Conversation::Turn::last) writer.field("Connection", "close");
  const auto bytes = writer.end();
  RINGWALL_CHECK(bytes.has_value());
  return std::string(head.data(), *bytes).append(call);
}

// The network's own word for silence.
bool is_no_way(int number) {
  return number == ETIMEDOUT || number == EHOSTUNREACH || number == ENETUNREACH || number == EHOSTDOWN;
}

bool is_to_be_tried_again(int number) { return number == EAGAIN || number == EINTR; }

}  // namespace

Conversation::Conversation(const Target& target, int stop_event, std::uint32_t timeout_ms)
    : target_(target), stop_event_(stop_event), deadline_(Clock::now() + std::chrono::milliseconds(timeout_ms)) {}

Conversation::~Conversation() { close_socket(); }

void Conversation::close_socket() {
  if (socket_ >= 0) close(std::exchange(socket_, -1));
  has_answered_ = false;
}

Result<void> Conversation::wait(short events, Clock::time_point deadline) {
  std::array<pollfd, 2> rows{
      {{.fd = stop_event_, .events = POLLIN, .revents = 0}, {.fd = socket_, .events = events, .revents = 0}}};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    is_silent_ = left.count() <= 0;
    if (is_silent_) return fail("the node does not answer in time");
    const int ready = poll(rows.data(), rows.size(), static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) return fail_errno("poll", errno);
    if (ready <= 0) continue;
    if (rows[0].revents != 0) return fail("stopped");
    return {};
  }
}

Result<void> Conversation::connect_to(const ring::SocketAddress& address, Clock::time_point deadline) {
  close_socket();
  socket_ = socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return fail_errno("socket", errno);
  if (::connect(socket_, address.get(), address.bytes) != 0 && errno != EINPROGRESS) {
    is_silent_ = is_no_way(errno);
    return fail_errno("the node takes no connection", errno);
  }
  if (auto ready = wait(POLLOUT, deadline); !ready) return ready;
  int number = 0;
  socklen_t bytes = sizeof number;
  if (getsockopt(socket_, SOL_SOCKET, SO_ERROR, &number, &bytes) != 0) number = errno;
  is_silent_ = is_no_way(number);
  if (number != 0) return fail_errno("the node takes no connection", number);
  return {};
}

Result<void> Conversation::connect() {
  const auto addresses = target_.addresses();
  Error last{"the node's name is not found"};
  auto left = static_cast<std::int64_t>(addresses->size());
  for (const ring::SocketAddress& address : *addresses) {
    // A silent one costs the others no more than its share of the time.
    const Clock::time_point now = Clock::now();
    Result<void> made = connect_to(address, now + (deadline_ - now) / left--);
    if (made) return made;
    last = std::move(made.error());
  }
  close_socket();
  return std::unexpected(std::move(last));
}

Result<void> Conversation::send_all(std::string_view bytes) {
  while (!bytes.empty()) {
    if (auto ready = wait(POLLOUT, deadline_); !ready) return ready;
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && !is_to_be_tried_again(errno)) return fail_errno("the node does not take the question", errno);
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<ReplyReader> Conversation::receive() {
  ReplyReader reader;
  std::array<char, 16 * 1024> buffer;
  for (;;) {
    if (const auto ready = wait(POLLIN, deadline_); !ready) return std::unexpected(ready.error());
    const ssize_t received = recv(socket_, buffer.data(), buffer.size(), 0);
    if (received < 0 && is_to_be_tried_again(errno)) continue;
    if (received < 0) {
      is_silent_ = is_no_way(errno);
      return fail_errno("the node's answer does not come", errno);
    }
    if (received == 0) {
      close_socket();
      if (const auto ended = reader.end(); !ended) return std::unexpected(ended.error());
      return reader;
    }
    was_heard_ = true;
    const auto is_whole = reader.take({buffer.data(), static_cast<std::size_t>(received)});
    if (!is_whole) return std::unexpected(is_whole.error());
    if (*is_whole) return reader;
  }
}

Result<ReplyReader> Conversation::ask(std::string_view call, Turn turn) {
  const std::string request = request_for(target_, call, turn);
  if (socket_ >= 0) {
    // The node may have closed since its last answer: then a failure says nothing.
    const bool may_have_closed = has_answered_;
    if (Result<ReplyReader> reply = exchange(request, turn); reply || !may_have_closed) return reply;
  }
  if (const auto connected = connect(); !connected) return std::unexpected(connected.error());
  return exchange(request, turn);
}

Result<ReplyReader> Conversation::exchange(std::string_view request, Turn turn) {
  const auto sent = send_all(request);
  Result<ReplyReader> reply = sent ? receive() : Result<ReplyReader>(std::unexpected(sent.error()));
  has_answered_ = reply.has_value();
  if (turn == Turn::last || !reply || !reply->keeps_alive()) close_socket();
  return reply;
}

}  // namespace ringwall::upstream
