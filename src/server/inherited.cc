#include "inherited.h"

#include "bind_address.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>

namespace ringwall::server {

namespace {

constexpr int first_descriptor = 3;
constexpr int descriptors_max = 1 << 16;

std::optional<int> number_in(const char* variable) {
  const char* const text = std::getenv(variable);
  if (text == nullptr) return std::nullopt;
  int number = 0;
  const char* const end = text + std::strlen(text);
  const auto [rest, error] = std::from_chars(text, end, number);
  return error == std::errc() && rest == end ? std::optional(number) : std::nullopt;
}

int option(int socket, int level, int name) {
  int value = -1;
  socklen_t bytes = sizeof value;
  return getsockopt(socket, level, name, &value, &bytes) == 0 ? value : -1;
}

std::optional<config::Endpoint> endpoint_of(int descriptor) {
  sockaddr_storage storage{};
  socklen_t bytes = sizeof storage;
  if (option(descriptor, SOL_SOCKET, SO_ACCEPTCONN) != 1 || option(descriptor, SOL_SOCKET, SO_TYPE) != SOCK_STREAM ||
      getsockname(descriptor, reinterpret_cast<sockaddr*>(&storage), &bytes) != 0) {
    return std::nullopt;
  }
  char text[INET6_ADDRSTRLEN] = {};
  if (storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    inet_ntop(AF_INET, &v4.sin_addr, text, sizeof text);
    return config::Endpoint{text, ntohs(v4.sin_port)};
  }
  if (storage.ss_family != AF_INET6) return std::nullopt;
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
  inet_ntop(AF_INET6, &v6.sin6_addr, text, sizeof text);
  const bool is_any = IN6_IS_ADDR_UNSPECIFIED(&v6.sin6_addr) && option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY) == 0;
  return config::Endpoint{is_any ? "" : text, ntohs(v6.sin6_port)};
}

// As it is written in the sockets' own words.
bool is_at(int descriptor, const config::Endpoint& endpoint) {
  const std::optional<config::Endpoint> at = endpoint_of(descriptor);
  if (!at || at->port != endpoint.port || at->host.empty() != endpoint.host.empty()) return false;
  if (at->host.empty()) return true;
  const BindAddress one = bind_address(*at);
  const BindAddress other = bind_address(endpoint);
  return one.bytes == other.bytes && std::memcmp(&one.storage, &other.storage, one.bytes) == 0;
}

}  // namespace

Inherited::Inherited(bool has_predecessor) {
  const int count = number_in("LISTEN_FDS").value_or(0);
  const bool is_ours = has_predecessor || number_in("LISTEN_PID") == std::optional(static_cast<int>(getpid()));
  for (const char* name : {"LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES"}) unsetenv(name);
  if (!is_ours || count > descriptors_max) return;
  for (int descriptor = first_descriptor; descriptor < first_descriptor + count; ++descriptor) {
    if (fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0) descriptors_.push_back(descriptor);
  }
}

std::vector<int> Inherited::take(const config::Endpoint& endpoint) {
  std::vector<int> taken;
  std::erase_if(descriptors_, [&](int descriptor) {
    if (!is_at(descriptor, endpoint)) return false;
    taken.push_back(descriptor);
    return true;
  });
  return taken;
}

std::vector<std::string> Inherited::close_left() {
  std::vector<std::string> texts;
  for (const int descriptor : descriptors_) {
    const std::optional<config::Endpoint> at = endpoint_of(descriptor);
    texts.push_back(at ? config::to_text(*at) : "no listening TCP socket");
    close(descriptor);
  }
  descriptors_.clear();
  return texts;
}

}  // namespace ringwall::server
