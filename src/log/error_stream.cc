#include <ringwall/log/error_stream.h>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>

namespace ringwall::log {

namespace {

bool is_of_journal(const struct stat& status) {
  const char* stream = std::getenv("JOURNAL_STREAM");
  return stream != nullptr && stream == std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

}  // namespace

ErrorStream::ErrorStream() : descriptor_(STDERR_FILENO) {
  struct stat status{};
  if (fstat(STDERR_FILENO, &status) != 0) return;
  is_journal_ = is_of_journal(status);
  if (S_ISSOCK(status.st_mode)) {
    kind_ = Kind::socket;
  } else if (S_ISFIFO(status.st_mode) || isatty(STDERR_FILENO) == 1) {
    const int again = open("/proc/self/fd/2", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (again < 0) return;  // wait_for_room() is asked before each write
    descriptor_ = again;
    is_own_ = true;
  }
}

ErrorStream::~ErrorStream() {
  if (is_own_) close(descriptor_);
}

ErrorStream::Result ErrorStream::write(std::string_view& bytes) {
  while (!bytes.empty()) {
    if (kind_ == Kind::file && !is_own_ && !wait_for_room(0)) return Result::full;
    const ssize_t written = kind_ == Kind::socket
                                ? send(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL)
                                : ::write(descriptor_, bytes.data(), bytes.size());
    if (written > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(written));
    } else if (errno == EAGAIN) {
      return Result::full;
    } else if (errno != EINTR) {
      return Result::failed;
    }
  }
  return Result::written;
}

bool ErrorStream::wait_for_room(int timeout_ms) {
  pollfd wanted{.fd = descriptor_, .events = POLLOUT, .revents = 0};
  return poll(&wanted, 1, timeout_ms) != 0;  // an error is for write() to find
}

}  // namespace ringwall::log
