#include <ringwall/config/files.h>

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/core.h>

#include <ringwall/config/given.h>
#include <ringwall/config/load.h>

namespace ringwall::config {
namespace {

std::string error_text(int number) {
  return number == ENOENT ? "no such file or folder" : std::string(std::strerror(number));
}

// Landlock lets stat(2) and access(2) pass, and refuses open(2): what they allow and it does not, some module forbids.
std::optional<std::string> unopened(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd >= 0) {
    ::close(fd);
    return std::nullopt;
  }
  const char* const why = "outside of what this process may still read: a restart may change that";
  return fmt::format("{} ({})", quoted(path), errno == EACCES ? why : error_text(errno));
}

std::optional<std::string> unreadable(const std::string& path, mode_t type, int access_mode, const char* otherwise) {
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0 || ::access(path.c_str(), access_mode) != 0) {
    return fmt::format("{} ({})", quoted(path), error_text(errno));
  }
  if ((status.st_mode & S_IFMT) != type) {
    return fmt::format("{} ({})", quoted(path), otherwise);
  }
  return unopened(path);
}

}  // namespace

std::expected<std::string, std::string> read_config_file(const std::string& path) {
  if (std::optional<std::string> found = unreadable_file(path)) {
    return std::unexpected(std::move(*found));
  }
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    return std::unexpected(error_text(errno));
  }
  std::string text(config_bytes_max + 1, '\0');
  std::size_t bytes = 0;
  ssize_t got = 1;
  while (got > 0 && bytes < text.size()) {
    got = ::read(fd, text.data() + bytes, text.size() - bytes);
    bytes += got > 0 ? static_cast<std::size_t>(got) : 0;
  }
  const int number = errno;
  ::close(fd);
  if (got < 0) {
    return std::unexpected(error_text(number));
  }
  if (bytes > config_bytes_max) {
    return std::unexpected(fmt::format("more than {} bytes", config_bytes_max));
  }
  text.resize(bytes);
  return text;
}

std::optional<std::string> unreadable_file(const std::string& path) {
  return unreadable(path, S_IFREG, R_OK, "not a file");
}

std::optional<std::string> unreadable_folder(const std::string& path) {
  return unreadable(path, S_IFDIR, R_OK | X_OK, "not a folder");
}

bool user_exists(const std::string& name) { return ::getpwnam(name.c_str()) != nullptr; }

bool group_exists(const std::string& name) { return ::getgrnam(name.c_str()) != nullptr; }

}  // namespace ringwall::config
