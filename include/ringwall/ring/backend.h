// backend.h: the seam between Ringwall and the operating system.
//
// Everything above reads and writes real io_uring queues in memory; only the calls below reach a kernel. UringBackend
// is Linux; the simulated kernel of tests/sim reads the same queues, with its own clock, entropy and faults.
// One backend belongs to one shard and is called on that shard's thread alone.
// Source: io_uring_enter(2), io_uring_register(2), socket(2), ip(7), getpeername(2), Documentation/networking/tls.rst.
#pragma once

#include <liburing.h>
#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace ringwall::ring {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t bytes = 0;

  [[nodiscard]] const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

enum class TlsDirection : std::uint8_t { send, receive };

class Backend {
 public:
  Backend() = default;
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  virtual ~Backend() = default;

  // Hands `submit` queued entries to the kernel and waits until `wait_for` completions are there or `timeout_ns` has
  // passed. Returns the number of entries taken, or a negative errno (-ETIME, -EINTR, -EBUSY, -EAGAIN are normal).
  virtual int enter(unsigned submit, unsigned wait_for, std::uint64_t timeout_ns) = 0;

  // Returns 0 or a negative errno. The memory stays the caller's and must outlive the backend's last use of it.
  virtual int register_buffer_ring(io_uring_buf_reg& registration) = 0;

  [[nodiscard]] virtual std::uint64_t now_ns() = 0;  // monotonic
  [[nodiscard]] virtual std::int64_t unix_now_s() = 0;
  virtual void fill_random(std::span<std::byte> bytes) = 0;

  // A TCP socket with TCP_NODELAY and keep-alive, for connect. Returns it, or a negative errno.
  [[nodiscard]] virtual int open_tcp_socket(int family) = 0;
  // Before connect: the address that it comes from, whose port is left to the kernel until it connects. Returns 0 or a
  // negative errno: -EADDRNOTAVAIL the address is not this machine's. (Where its ports are used up, connect says so.)
  [[nodiscard]] virtual int bind_source(int socket, const SocketAddress& source) = 0;
  // Before connect: bounds what the kernel receives ahead of us.
  virtual void limit_receive_buffer(int socket, int bytes) = 0;
  // Before connect: after so long without an acknowledgement of what was sent, or of room for it, the connection is
  // given up with ETIMEDOUT (TCP_USER_TIMEOUT, tcp(7)). The kernel of a process that hangs acknowledges on.
  virtual void limit_unacknowledged(int socket, std::uint64_t time_ns) = 0;
  [[nodiscard]] virtual SocketAddress peer_address(int socket) = 0;  // bytes == 0: the peer has gone
  // A receive that polls first waits for so many bytes, or for the end of what comes; 1: for any. A hint: fewer may do.
  virtual void wait_for_bytes(int socket, int bytes) = 0;
  // Bytes that the kernel has taken to send and the peer has not acknowledged.
  [[nodiscard]] virtual std::size_t unacknowledged_bytes(int socket) = 0;
  // Of a connected socket: the kernel's record layer (TCP_ULP "tls"), which does nothing until it gets a key. Returns 0
  // or a negative errno: -ENOENT the kernel has none, -ENOTCONN the peer has gone, -EEXIST it is attached already.
  [[nodiscard]] virtual int attach_tls(int socket) = 0;
  // From here on what is sent becomes records, or what is received comes out of them. `crypto_info` is one of
  // linux/tls.h's tls12_crypto_info_…; the kernel copies it. Returns 0 or a negative errno: -EBUSY the direction has a
  // key already, which Linux replaces since 6.14 (TLS 1.3 only).
  [[nodiscard]] virtual int set_tls_key(int socket, TlsDirection direction, std::span<const std::byte> crypto_info) = 0;
  // What went wrong with a socket and has not been told, a positive errno, or 0: it is told once (SO_ERROR).
  [[nodiscard]] virtual int take_error(int socket) = 0;
  // FIN after what has been sent. By the ring it would take a worker thread each time (io_uring_prep_shutdown(3) is
  // never done at once). Returns 0 or a negative errno: -ENOTCONN the peer has gone.
  [[nodiscard]] virtual int shut_down_sending(int socket) = 0;
  virtual void reset_on_close(int socket) = 0;  // its close sends RST and drops what is unsent
  virtual void close_socket(int socket) = 0;    // one that no operation uses

  [[nodiscard]] io_uring& queues() { return queues_; }

 protected:
  io_uring queues_{};
};

}  // namespace ringwall::ring
