#include "devnode/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <ringwall/ring/backend.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

namespace ringwall::devnode {

namespace {

constexpr int backlog_max = 4096;  // the kernel cuts it to net.core.somaxconn

struct Place {
  std::string host;
  std::uint16_t port;
  ring::SocketAddress address;
};

std::optional<Place> read_place(std::string_view text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view port = text.substr(colon + 1);
  Place place{std::string(text.substr(0, colon)), 0, {}};
  const auto result = std::from_chars(port.data(), port.data() + port.size(), place.port);
  if (result.ec != std::errc() || result.ptr != port.data() + port.size()) return std::nullopt;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET, place.host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(place.port);
    std::memcpy(&place.address.storage, &v4, sizeof v4);
    place.address.bytes = sizeof v4;
    return place;
  }
  if (!place.host.starts_with('[') || !place.host.ends_with(']')) return std::nullopt;
  const std::string inside = place.host.substr(1, place.host.size() - 2);
  if (inet_pton(AF_INET6, inside.c_str(), &v6.sin6_addr) != 1) return std::nullopt;
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(place.port);
  std::memcpy(&place.address.storage, &v6, sizeof v6);
  place.address.bytes = sizeof v6;
  return place;
}

std::uint16_t port_of(int socket) {
  ring::SocketAddress own;
  own.bytes = sizeof own.storage;
  if (getsockname(socket, own.get(), &own.bytes) != 0) return 0;
  sockaddr_in v4;
  std::memcpy(&v4, &own.storage, sizeof v4);  // the port is at the same place in both families
  return ntohs(v4.sin_port);
}

}  // namespace

Listener::Listener(Listener&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), port_(other.port_), address_(std::move(other.address_)) {}

Result<Listener> Listener::open(const std::string& address) {
  const auto place = read_place(address);
  if (!place) return fail(address + ": found no address and port, such as 127.0.0.1:9944 or [::1]:9944");
  Listener listener;
  listener.socket_ = ::socket(place->address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
  if (listener.socket_ < 0) return fail_errno(address, errno);
  const int on = 1;
  // Accepted sockets inherit TCP_NODELAY.
  (void)setsockopt(listener.socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  (void)setsockopt(listener.socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (bind(listener.socket_, place->address.get(), place->address.bytes) != 0 ||
      listen(listener.socket_, backlog_max) != 0) {
    return fail_errno(address, errno);
  }
  listener.port_ = port_of(listener.socket_);
  listener.address_ = place->host + ":" + std::to_string(listener.port_);
  return listener;
}

void Listener::close() {
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

}  // namespace ringwall::devnode
