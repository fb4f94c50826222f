// uring_backend.h: the backend that is Linux.
//
// To be made on the thread that will use it: the ring has a single issuer, and completions run on that thread alone.
// Needs Linux 6.1 (IORING_SETUP_DEFER_TASKRUN). Source: io_uring_setup(2).
#pragma once

#include <ringwall/error.h>
#include <ringwall/ring/backend.h>

#include <memory>

namespace ringwall::ring {

class UringBackend final : public Backend {
 public:
  // The error is one sentence that tells an operator what this kernel refuses and what to do.
  [[nodiscard]] static Result<std::unique_ptr<UringBackend>> create(unsigned entries);
  ~UringBackend() override;

  int enter(unsigned submit, unsigned wait_for, std::uint64_t timeout_ns) override;
  int register_buffer_ring(io_uring_buf_reg& registration) override;
  std::uint64_t now_ns() override;
  std::int64_t unix_now_s() override;
  void fill_random(std::span<std::byte> bytes) override;
  int open_tcp_socket(int family) override;
  int bind_source(int socket, const SocketAddress& source) override;
  void limit_receive_buffer(int socket, int bytes) override;
  void limit_unacknowledged(int socket, std::uint64_t time_ns) override;
  SocketAddress peer_address(int socket) override;
  void wait_for_bytes(int socket, int bytes) override;
  std::size_t unacknowledged_bytes(int socket) override;
  int attach_tls(int socket) override;
  int set_tls_key(int socket, TlsDirection direction, std::span<const std::byte> crypto_info) override;
  int take_error(int socket) override;
  int shut_down_sending(int socket) override;
  void reset_on_close(int socket) override;
  void close_socket(int socket) override;

 private:
  UringBackend() = default;

  int enter_descriptor_ = -1;  // the ring's, or its index where it could be registered
  unsigned enter_flags_ = 0;
};

}  // namespace ringwall::ring
