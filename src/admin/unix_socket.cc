#include <ringwall/admin/unix_socket.h>

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace ringwall::admin {

namespace {

constexpr int backlog = 32;
constexpr mode_t mode = 0660;

Result<int> fail_to_listen(const std::string& path, int number, int socket) {
  if (socket >= 0) close(socket);
  const char* remedy = number == EACCES || number == EPERM
                           ? " (its folder has to be this process's own, or let it write)"
                       : number == ENOENT ? " (its folder has to be there)"
                                          : "";
  return fail_errno("admin.socket " + path + ": cannot listen" + remedy, number);
}

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), std::min(path.size(), sizeof address.sun_path - 1));
  return address;
}

}  // namespace

std::string path_made(const std::string& path, pid_t pid) { return path + "." + std::to_string(pid); }

bool is_listened_at(const std::string& path) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return false;
  const sockaddr_un address = address_of(path);
  const bool is_there = connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 ||
                        errno == EAGAIN;  // its queue is full
  close(probe);
  return is_there;
}

Result<int> listen_unix(const std::string& path, uid_t uid, gid_t gid) {
  struct stat there{};
  if (lstat(path.c_str(), &there) == 0 && !S_ISSOCK(there.st_mode)) {
    return fail("admin.socket: " + path + " is there and no socket: it is left alone; right is a path for a socket");
  }
  const std::string made = path_made(path, getpid());
  if (made.size() >= sizeof(sockaddr_un::sun_path)) return fail_to_listen(path, ENAMETOOLONG, -1);
  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return fail_to_listen(path, errno, -1);
  (void)unlink(made.c_str());
  const sockaddr_un address = address_of(made);
  const mode_t before = umask(0777 & ~mode);
  const int bound = bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int number = errno;
  umask(before);
  if (bound != 0) return fail_to_listen(path, number, socket);
  const bool gives_away = uid != geteuid() || gid != getegid();
  if ((gives_away && chown(made.c_str(), uid, gid) != 0) || listen(socket, backlog) != 0) {
    const int refused = errno;
    (void)unlink(made.c_str());
    return fail_to_listen(path, refused, socket);
  }
  return socket;
}

Result<void> place_unix(const std::string& path) {
  const std::string made = path_made(path, getpid());
  if (rename(made.c_str(), path.c_str()) == 0) return {};
  const int number = errno;
  (void)unlink(made.c_str());
  return std::unexpected(fail_to_listen(path, number, -1).error());
}

// A process that took this one's place has moved its own there.
void remove_unix(const std::string& path) {
  (void)unlink(path_made(path, getpid()).c_str());
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return;
  const sockaddr_un address = address_of(path);
  ucred peer{};
  socklen_t peer_bytes = sizeof peer;
  if (connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      getsockopt(probe, SOL_SOCKET, SO_PEERCRED, &peer, &peer_bytes) == 0 && peer.pid == getpid()) {
    (void)unlink(path.c_str());
  }
  close(probe);
}

}  // namespace ringwall::admin
