#include <ringwall/admin/client.h>
#include <ringwall/admin/request.h>
#include <ringwall/config/address.h>
#include <ringwall/http/head.h>

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>

namespace ringwall::admin {

namespace {

// Closed with the object.
struct Socket {
  Socket(int family, std::chrono::seconds patience) : number(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval time{.tv_sec = patience.count(), .tv_usec = 0};
    setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
    setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (number >= 0) close(number);
  }
  int number;
};

struct Place {
  sockaddr_storage address{};
  socklen_t bytes = 0;
};

Place unix_place(const std::string& path) {
  Place place;
  auto& address = reinterpret_cast<sockaddr_un&>(place.address);
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  place.bytes = sizeof address;
  return place;
}

std::optional<Place> tcp_place(std::string_view at) {
  const std::optional<config::Endpoint> endpoint = config::parse_peer_address(at);
  if (!endpoint) return std::nullopt;
  Place place;
  auto& v4 = reinterpret_cast<sockaddr_in&>(place.address);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(place.address);
  const std::string host = endpoint->host == "localhost" ? "127.0.0.1" : endpoint->host;
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint->port);
    place.bytes = sizeof v4;
    return place;
  }
  if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) != 1) return std::nullopt;
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(endpoint->port);
  place.bytes = sizeof v6;
  return place;
}

Result<Place> place_of(const std::string& at) {
  if (at.find('/') != at.npos || at.find(':') == at.npos) {
    if (at.size() < sizeof(sockaddr_un::sun_path)) return unix_place(at);
  } else if (const std::optional<Place> place = tcp_place(at)) {
    return *place;
  }
  return fail("found " + at + ", expected the path of a Unix socket, or ADDR:PORT such as 127.0.0.1:9090");
}

bool send_all(int socket, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = send(socket, text.data(), text.size(), MSG_NOSIGNAL);
    if (count <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

Result<Reply> read_reply(int socket) {
  std::string text;
  std::array<char, 65'536> bytes;
  ssize_t count = 0;
  while ((count = recv(socket, bytes.data(), bytes.size(), 0)) > 0 && text.size() <= reply_bytes_max) {
    text.append(bytes.data(), static_cast<std::size_t>(count));
  }
  if (count < 0) return fail_errno("no answer", errno);
  const auto head = std::make_unique<http::ResponseHead>();
  const auto used = http::parse_response_head(text, false, *head);
  if (!used || *used == 0 || text.size() - *used != head->content_length) return fail("the answer is not whole");
  return Reply{.status = head->status, .body = text.substr(*used)};
}

}  // namespace

Result<Reply> ask(const std::string& at, std::string_view method, std::string_view target,
                  std::chrono::seconds patience) {
  const Result<Place> place = place_of(at);
  if (!place) return std::unexpected(place.error());
  const Socket socket(place->address.ss_family, patience);
  if (socket.number < 0) return fail_errno("socket", errno);
  if (connect(socket.number, reinterpret_cast<const sockaddr*>(&place->address), place->bytes) != 0) {
    return fail_errno(at + ": no Ringwall can be asked here", errno);
  }
  const std::string request =
      fmt::format("{} {} HTTP/1.1\r\nHost: localhost\r\n{}: 1\r\nConnection: close\r\n\r\n", method, target, header);
  if (!send_all(socket.number, request)) return fail_errno(at + ": cannot be asked", errno);
  Result<Reply> reply = read_reply(socket.number);
  return reply ? std::move(reply) : fail(at + ": " + reply.error().message);
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  std::string encoded;
  for (const char c : text) {
    if (unreserved.find(c) != unreserved.npos) {
      encoded += c;
    } else {
      encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return encoded;
}

}  // namespace ringwall::admin
