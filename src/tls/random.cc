// Random bytes for wolfSSL, which was built to ask for them here: straight from the kernel's generator, some at a time.
//
// Its own way is a generator for each connection, made anew for it: a self-test, /dev/urandom opened, read and closed,
// and SHA-256 over and over, for the three or four times 32 bytes that a handshake needs. The kernel's is as good a
// source at any time, and what has been read ahead is wiped as it is given out.
// Source: getrandom(2): up to 256 bytes are given whole, and not interrupted.
#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

namespace {

constexpr std::size_t read_ahead_bytes = 256;

bool read_random(unsigned char* to, std::size_t bytes) {
  while (bytes > 0) {
    const ssize_t count = getrandom(to, bytes, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return false;
    to += count;
    bytes -= static_cast<std::size_t>(count);
  }
  return true;
}

class ReadAhead {
 public:
  ReadAhead() = default;
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;
  ~ReadAhead() { explicit_bzero(bytes_.data(), bytes_.size()); }

  [[nodiscard]] bool take(unsigned char* to, std::size_t bytes) {
    if (bytes > bytes_.size()) return read_random(to, bytes);
    if (bytes > left_) {
      if (!read_random(bytes_.data(), bytes_.size())) return false;
      left_ = bytes_.size();
    }
    left_ -= bytes;
    std::memcpy(to, bytes_.data() + left_, bytes);
    explicit_bzero(bytes_.data() + left_, bytes);
    return true;
  }

 private:
  std::array<unsigned char, read_ahead_bytes> bytes_{};
  std::size_t left_ = 0;
};

}  // namespace

// 0, or wolfSSL's call fails. Any thread. Not across fork(2), after which no thread of ours goes on.
extern "C" int ringwall_random(unsigned char* output, unsigned int bytes) {
  thread_local ReadAhead ahead;
  return ahead.take(output, bytes) ? 0 : -1;
}
