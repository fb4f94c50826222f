#include "notify.h"

#include <fmt/core.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace ringwall::server {

namespace {

std::uint64_t number_in(const char* variable) {
  const char* const text = std::getenv(variable);
  std::uint64_t number = 0;
  if (text != nullptr) std::from_chars(text, text + std::strlen(text), number);
  return number;
}

std::uint64_t monotonic_us() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000 + static_cast<std::uint64_t>(now.tv_nsec) / 1'000;
}

}  // namespace

Notifier::Notifier() {
  const char* const path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || (path[0] != '/' && path[0] != '@') || std::strlen(path) >= sizeof(sockaddr_un::sun_path))
    return;
  path_ = path;
  const std::uint64_t watched = number_in("WATCHDOG_PID");
  if (watched == 0 || watched == static_cast<std::uint64_t>(getpid()))
    watchdog_ms_ = number_in("WATCHDOG_USEC") / 1'000;
}

void Notifier::ready(std::string_view text) const { send(fmt::format("READY=1\nSTATUS={}\n", text)); }

void Notifier::reloading() const { send(fmt::format("RELOADING=1\nMONOTONIC_USEC={}\n", monotonic_us())); }

void Notifier::stopping(std::uint64_t within_ms) const {
  send(fmt::format("STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC={}\n", within_ms * 1'000));
}

void Notifier::alive() const { send("WATCHDOG=1\n"); }

void Notifier::main_process(pid_t pid) const { send(fmt::format("MAINPID={}\n", pid)); }

void Notifier::keep(int descriptor, std::string_view name) const {
  send(fmt::format("FDSTORE=1\nFDNAME={}\n", name), descriptor);
}

void Notifier::forget(std::string_view name) const { send(fmt::format("FDSTOREREMOVE=1\nFDNAME={}\n", name)); }

void Notifier::send(std::string_view text, int descriptor) const {
  if (path_.empty()) return;
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path_.data(), path_.size());
  if (path_.front() == '@') address.sun_path[0] = '\0';  // of the abstract namespace
  iovec part{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
  msghdr message{};
  message.msg_name = &address;
  message.msg_namelen = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path_.size());
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof descriptor)] = {};
  if (descriptor >= 0) {
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* const header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof descriptor);
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
  }
  (void)!sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  close(socket);
}

}  // namespace ringwall::server
