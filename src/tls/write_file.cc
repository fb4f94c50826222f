#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string>
#include <string_view>

#include <ringwall/tls/self_signed.h>

namespace ringwall::tls {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }

 private:
  const int fd_;
};

// 0 or an errno.
int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ::fsync(fd) == 0 ? 0 : errno;
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

// A new file beside `path`, which takes its place at once and whole: a reader sees the old file or the new one, and a
// private file is never readable by others, not even for a moment. Removed again unless put() was called.
class Fresh {
 public:
  Fresh(const std::string& path, std::string_view text, mode_t mode) : path_(path), name_(path + ".XXXXXX") {
    const Descriptor file(::mkostemp(name_.data(), O_CLOEXEC));  // mode 0600
    if (file.get() < 0) {
      error_ = fail_errno(folder_of(path_) + ": can't make a file in it for " + path_, errno);
      return;
    }
    is_there_ = true;
    int error = write_all(file.get(), text);
    if (error == 0 && ::fchmod(file.get(), mode) != 0) error = errno;
    if (error != 0) error_ = fail_errno(path_ + ": can't be written", error);
  }
  ~Fresh() {
    if (is_there_) ::unlink(name_.c_str());
  }
  Fresh(const Fresh&) = delete;
  Fresh& operator=(const Fresh&) = delete;

  [[nodiscard]] const Result<void>& written() const { return error_; }

  [[nodiscard]] Result<void> put() {
    if (::rename(name_.c_str(), path_.c_str()) != 0) return fail_errno(path_ + ": can't be written", errno);
    is_there_ = false;
    const Descriptor directory(::open(folder_of(path_).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.get() >= 0) ::fsync(directory.get());  // best effort: the rename itself is done
    return {};
  }

 private:
  const std::string path_;
  std::string name_;
  bool is_there_ = false;
  Result<void> error_{};
};

Result<void> replace(const std::string& path, std::string_view text, mode_t mode) {
  Fresh file(path, text, mode);
  return file.written() ? file.put() : file.written();
}

}  // namespace

Result<void> write_private(const std::string& path, std::string_view text) { return replace(path, text, 0600); }

Result<void> write_public(const std::string& path, std::string_view text) { return replace(path, text, 0644); }

Result<void> write_pair(const Certificate& files, const SelfSigned& pair) {
  Fresh key(files.key_file, pair.key_pem, 0600);
  if (!key.written()) return key.written();
  Fresh chain(files.chain_file, pair.certificate_pem, 0644);
  if (!chain.written()) return chain.written();
  if (Result<void> put = key.put(); !put) return put;
  return chain.put();
}

}  // namespace ringwall::tls
