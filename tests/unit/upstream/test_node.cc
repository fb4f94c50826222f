#include "test_node.h"

#include <ringwall/check.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <utility>

namespace ringwall::upstream::test {

namespace {

constexpr int look_ms = 20;

bool is_ready(int socket, short events) {
  pollfd row{.fd = socket, .events = events, .revents = 0};
  return poll(&row, 1, look_ms) == 1;
}

}  // namespace

std::string Talk::read_until(std::string_view end) {
  std::string text;
  while (!stopping_ && !text.ends_with(end)) {
    if (!is_ready(socket_, POLLIN)) continue;
    char byte = 0;
    if (recv(socket_, &byte, 1, 0) != 1) break;
    text += byte;
  }
  return text;
}

bool Talk::say(std::string_view bytes) {
  while (!bytes.empty()) {
    if (stopping_) return false;
    if (!is_ready(socket_, POLLOUT)) continue;
    const ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void Talk::pause_ms(unsigned ms) { std::this_thread::sleep_for(std::chrono::milliseconds(ms)); }

void Talk::be_silent() {
  char byte = 0;
  while (!stopping_) {
    if (is_ready(socket_, POLLIN) && recv(socket_, &byte, 1, 0) <= 0) return;
  }
}

TestNode::TestNode(Script script) : script_(std::move(script)) {
  listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof address;
  RINGWALL_CHECK(bind(listener_, reinterpret_cast<const sockaddr*>(&address), bytes) == 0);
  RINGWALL_CHECK(listen(listener_, 8) == 0);
  RINGWALL_CHECK(getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &bytes) == 0);
  port_ = ntohs(address.sin_port);
  thread_ = std::thread(&TestNode::run, this);
}

TestNode::~TestNode() {
  stopping_ = true;
  thread_.join();
  close(listener_);
}

void TestNode::set_script(Script script) {
  const std::lock_guard lock(mutex_);
  script_ = std::move(script);
}

TestNode::Script TestNode::script() {
  const std::lock_guard lock(mutex_);
  return script_;
}

void TestNode::run() {
  while (!stopping_) {
    if (!is_ready(listener_, POLLIN)) continue;
    const int socket = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    RINGWALL_CHECK(socket >= 0);
    ++connections_;
    Talk talk(socket, stopping_);
    script()(talk);
    close(socket);
  }
}

bool comes(const std::function<bool()>& is_there) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!is_there() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return is_there();
}

TestNode::Script answer_with(std::string answer) {
  return [answer = std::move(answer)](Talk& talk) {
    (void)talk.read_until("}");
    talk.say(answer);
  };
}

std::string http_answer(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}

std::string offer_json(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) list.append(list.empty() ? "\"" : ",\"").append(name).append("\"");
  return R"({"jsonrpc":"2.0","id":1,"result":{"methods":[)" + list + "]}}";
}

}  // namespace ringwall::upstream::test
