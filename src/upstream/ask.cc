#include <ringwall/check.h>
#include <ringwall/http/writer.h>
#include <ringwall/upstream/offer.h>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

namespace ringwall::upstream {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::string_view question = R"({"jsonrpc":"2.0","id":1,"method":"rpc_methods"})";

class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  [[nodiscard]] int get() const { return descriptor_; }

 private:
  int descriptor_;
};

Result<void> wait(const Socket& socket, short events, int stop_event, Clock::time_point deadline) {
  std::array<pollfd, 2> rows{
      {{.fd = stop_event, .events = POLLIN, .revents = 0}, {.fd = socket.get(), .events = events, .revents = 0}}};
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    if (left.count() <= 0) return fail("the node does not answer in time");
    const int ready = poll(rows.data(), rows.size(), static_cast<int>(left.count()));
    if (ready < 0 && errno != EINTR) return fail_errno("poll", errno);
    if (ready <= 0) continue;
    if (rows[0].revents != 0) return fail("stopped");
    return {};
  }
}

Result<Socket> connect_to(const ring::SocketAddress& address, int stop_event, Clock::time_point deadline) {
  Socket made(socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (made.get() < 0) return fail_errno("socket", errno);
  if (connect(made.get(), address.get(), address.bytes) != 0 && errno != EINPROGRESS) {
    return fail_errno("the node takes no connection", errno);
  }
  if (const auto ready = wait(made, POLLOUT, stop_event, deadline); !ready) return std::unexpected(ready.error());
  int number = 0;
  socklen_t bytes = sizeof number;
  if (getsockopt(made.get(), SOL_SOCKET, SO_ERROR, &number, &bytes) != 0) number = errno;
  if (number != 0) return fail_errno("the node takes no connection", number);
  return made;
}

Result<Socket> connect_to_any(const Addresses& addresses, int stop_event, Clock::time_point deadline) {
  Error last{"the node's name is not found"};
  auto left = static_cast<std::int64_t>(addresses.size());
  for (const ring::SocketAddress& address : addresses) {
    // A silent one costs the others no more than its share of the time.
    const Clock::time_point now = Clock::now();
    Result<Socket> made = connect_to(address, stop_event, now + (deadline - now) / left--);
    if (made) return made;
    last = std::move(made.error());
  }
  return std::unexpected(std::move(last));
}

std::string request_for(const Target& target) {
  std::array<char, 512> head;
  const auto bytes = http::HeadWriter(head)
                         .request_line("POST", "/")
                         .field("Host", "localhost:" + std::to_string(target.port()))  // all that its filter takes
                         .field("Content-Type", "application/json")
                         .field("Content-Length", question.size())
                         .field("Connection", "close")
                         .end();
  RINGWALL_CHECK(bytes.has_value());
  return std::string(head.data(), *bytes).append(question);
}

bool is_to_be_tried_again(int number) { return number == EAGAIN || number == EINTR; }

Result<void> send_all(const Socket& socket, std::string_view bytes, int stop_event, Clock::time_point deadline) {
  while (!bytes.empty()) {
    if (const auto ready = wait(socket, POLLOUT, stop_event, deadline); !ready) return ready;
    const ssize_t sent = send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && !is_to_be_tried_again(errno)) return fail_errno("the node does not take the question", errno);
    if (sent > 0) bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<Offer> receive_offer(const Socket& socket, int stop_event, Clock::time_point deadline) {
  OfferReader reader;
  std::array<char, 16 * 1024> buffer;
  for (;;) {
    if (const auto ready = wait(socket, POLLIN, stop_event, deadline); !ready) return std::unexpected(ready.error());
    const ssize_t received = recv(socket.get(), buffer.data(), buffer.size(), 0);
    if (received < 0 && is_to_be_tried_again(errno)) continue;
    if (received < 0) return fail_errno("the node's answer does not come", errno);
    if (received == 0) {
      if (const auto ended = reader.end(); !ended) return std::unexpected(ended.error());
      return reader.offer();
    }
    const auto is_whole = reader.take({buffer.data(), static_cast<std::size_t>(received)});
    if (!is_whole) return std::unexpected(is_whole.error());
    if (*is_whole) return reader.offer();
  }
}

}  // namespace

Result<Offer> ask_offer(const Target& target, int stop_event, std::uint32_t timeout_ms) {
  const Clock::time_point deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
  const auto socket = connect_to_any(*target.addresses(), stop_event, deadline);
  if (!socket) return std::unexpected(socket.error());
  if (const auto sent = send_all(*socket, request_for(target), stop_event, deadline); !sent) {
    return std::unexpected(sent.error());
  }
  return receive_offer(*socket, stop_event, deadline);
}

}  // namespace ringwall::upstream
