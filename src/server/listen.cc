#include <ringwall/server/listen.h>

#include "bind_address.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace ringwall::server {

BindAddress bind_address(const config::Endpoint& endpoint) {
  BindAddress address;
  auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
  if (!endpoint.host.empty() && inet_pton(AF_INET, endpoint.host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    address.bytes = sizeof v4;
  } else {
    if (!endpoint.host.empty()) inet_pton(AF_INET6, endpoint.host.c_str(), &v6.sin6_addr);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    address.bytes = sizeof v6;
  }
  return address;
}

namespace {

// Of what the kernel takes to send beyond its window, for a slow reader; accepted sockets inherit it.
constexpr int unsent_bytes_max = 256 * 1024;
constexpr int backlog = 4096;  // the kernel cuts it to net.core.somaxconn

std::string why_not(int number, const config::Endpoint& endpoint) {
  switch (number) {
    case EADDRINUSE:
      return "another program listens there: stop it (ss -ltnp tells which), or choose another port";
    case EACCES:
      if (endpoint.port >= 1024) {
        return "this system forbids the port: look at sysctl net.ipv4.ip_unprivileged_port_start, and into the "
               "kernel's log (SELinux, AppArmor)";
      }
      return fmt::format("ports below 1024 need CAP_NET_BIND_SERVICE or root (found port {})", endpoint.port);
    case EADDRNOTAVAIL:
      return "this machine has no such address (ip address tells which it has)";
    default:
      return errno_text(number);
  }
}

int set(int socket, int level, int option, int value) {
  return setsockopt(socket, level, option, &value, sizeof value);
}

// Accepted sockets inherit these.
bool set_for_clients(int socket) {
  return set(socket, IPPROTO_TCP, TCP_NODELAY, 1) == 0 &&
         set(socket, IPPROTO_TCP, TCP_NOTSENT_LOWAT, unsent_bytes_max) == 0 &&
         set(socket, SOL_SOCKET, SO_KEEPALIVE, 1) == 0;
}

// One that another program has opened. An accept on the ring waits by itself only where the socket blocks.
void make_ours(int socket) {
  (void)set_for_clients(socket);
  const int flags = fcntl(socket, F_GETFL);
  if (flags >= 0) (void)fcntl(socket, F_SETFL, flags & ~O_NONBLOCK);
  (void)listen(socket, backlog);
}

// A socket, or a negative errno.
int open_listener(const BindAddress& address, bool any_family, bool shared, bool listens) {
  const int socket = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
  if (socket < 0) return -errno;
  const bool v6 = address.storage.ss_family == AF_INET6;
  if (set(socket, SOL_SOCKET, SO_REUSEADDR, 1) != 0 || (shared && set(socket, SOL_SOCKET, SO_REUSEPORT, 1) != 0) ||
      (v6 && set(socket, IPPROTO_IPV6, IPV6_V6ONLY, any_family ? 0 : 1) != 0) || !set_for_clients(socket) ||
      bind(socket, reinterpret_cast<const sockaddr*>(&address.storage), address.bytes) != 0 ||
      (listens && listen(socket, backlog) != 0)) {
    const int number = errno;
    close(socket);
    return -number;
  }
  return socket;
}

}  // namespace

Result<std::vector<int>> listen_on(const config::Endpoint& endpoint, std::size_t count, std::vector<int> inherited) {
  const BindAddress address = bind_address(endpoint);
  const bool any_family = endpoint.host.empty();
  std::vector<int> sockets = std::move(inherited);
  const bool is_first = sockets.empty();
  for (const int socket : sockets) make_ours(socket);
  // Bound once alone: this fails where another process has the address, even one that shares it.
  int result = is_first ? open_listener(address, any_family, false, false) : 0;
  if (result >= 0) {
    if (is_first) close(result);
    while (sockets.size() < count && (result = open_listener(address, any_family, true, is_first)) >= 0) {
      sockets.push_back(result);
    }
  }
  if (result >= 0 || !is_first) return sockets;
  for (const int socket : sockets) close(socket);
  return fail(fmt::format("{}: cannot listen: {}", config::to_text(endpoint), why_not(-result, endpoint)));
}

Result<void> begin_to_listen(int socket) {
  if (listen(socket, backlog) != 0) return fail_errno("listen", errno);
  return {};
}

}  // namespace ringwall::server
