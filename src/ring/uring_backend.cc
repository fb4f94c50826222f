#include <ringwall/check.h>
#include <ringwall/ring/tls_control.h>
#include <ringwall/ring/uring_backend.h>

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace ringwall::ring {

namespace {

std::string why_no_ring(int number) {
  switch (number) {
    case ENOSYS:
      // Also what Podman's default seccomp profile answers with.
      return "there is no io_uring: a seccomp profile hides it (containers have one unless told otherwise; let it pass "
             "io_uring_setup, io_uring_enter and io_uring_register), or this kernel is not Linux 6.1 or newer with "
             "CONFIG_IO_URING; ringwall doctor says which";
    case EPERM:
    case EACCES:
      return "this system forbids io_uring: set sysctl kernel.io_uring_disabled=0 (or a seccomp profile that allows "
             "it)";
    case EINVAL:
      return "this kernel's io_uring is too old (no deferred task work): Ringwall needs Linux 6.1 or newer";
    case ENOMEM:
      return "io_uring was refused memory: raise RLIMIT_MEMLOCK (systemd: LimitMEMLOCK=infinity)";
    default:
      return "io_uring_setup: " + errno_text(number);
  }
}

// The kernel knows no ring that may be made and not entered.
std::string why_no_entering(int number) {
  return "io_uring_enter: " + errno_text(number) +
         ", although io_uring_setup is allowed: let the seccomp profile pass io_uring_setup, io_uring_enter and "
         "io_uring_register";
}

}  // namespace

Result<std::unique_ptr<UringBackend>> UringBackend::create(unsigned entries) {
  std::unique_ptr<UringBackend> backend(new UringBackend);
  io_uring_params params{};
  params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_COOP_TASKRUN |
                 IORING_SETUP_SUBMIT_ALL | IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP;
  params.cq_entries = entries * 4;
  io_uring& queues = backend->queues_;
  if (const int result = io_uring_queue_init_params(entries, &queues, &params); result < 0) {
    queues.ring_fd = -1;
    return fail(why_no_ring(-result));
  }
  backend->enter_descriptor_ = queues.ring_fd;
  backend->enter_flags_ = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
  if (io_uring_register_ring_fd(&queues) == 1) {
    backend->enter_descriptor_ = queues.enter_ring_fd;
    backend->enter_flags_ |= IORING_ENTER_REGISTERED_RING;
  }
  if (const int result = backend->enter(0, 0, 0); result < 0) return fail(why_no_entering(-result));
  return backend;
}

UringBackend::~UringBackend() {
  if (queues_.ring_fd >= 0) io_uring_queue_exit(&queues_);
}

int UringBackend::enter(unsigned submit, unsigned wait_for, std::uint64_t timeout_ns) {
  __kernel_timespec timeout{};
  timeout.tv_sec = static_cast<std::int64_t>(std::min<std::uint64_t>(timeout_ns / 1'000'000'000, 1 << 30));
  timeout.tv_nsec = static_cast<long long>(timeout_ns % 1'000'000'000);
  io_uring_getevents_arg argument{};
  argument.ts = wait_for > 0 ? reinterpret_cast<std::uintptr_t>(&timeout) : 0;
  return io_uring_enter2(static_cast<unsigned>(enter_descriptor_), submit, wait_for, enter_flags_,
                         reinterpret_cast<sigset_t*>(&argument), sizeof argument);
}

int UringBackend::register_buffer_ring(io_uring_buf_reg& registration) {
  return io_uring_register_buf_ring(&queues_, &registration, 0);
}

std::uint64_t UringBackend::now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

std::int64_t UringBackend::unix_now_s() { return time(nullptr); }

void UringBackend::fill_random(std::span<std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = getrandom(bytes.data(), bytes.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    RINGWALL_CHECK(count > 0);
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

int UringBackend::open_tcp_socket(int family) {
  const int descriptor = socket(family, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_TCP);
  if (descriptor < 0) return -errno;
  const int on = 1;
  // Neither can fail on a TCP socket, and a connection without them still works.
  (void)setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  (void)setsockopt(descriptor, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  return descriptor;
}

int UringBackend::bind_source(int socket, const SocketAddress& source) {
  const int on = 1;
  // Without it the port would be chosen here, for all destinations, and each could be used once at a time.
  if (setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) != 0) return -errno;
  return bind(socket, source.get(), source.bytes) == 0 ? 0 : -errno;
}

void UringBackend::limit_receive_buffer(int socket, int bytes) {
  (void)setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

void UringBackend::limit_unacknowledged(int socket, std::uint64_t time_ns) {
  constexpr std::uint64_t ns_per_ms = 1'000'000;
  const auto ms = static_cast<unsigned>(std::min<std::uint64_t>(time_ns / ns_per_ms, INT_MAX));
  (void)setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
}

void UringBackend::wait_for_bytes(int socket, int bytes) {
  (void)setsockopt(socket, SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
}

SocketAddress UringBackend::peer_address(int socket) {
  SocketAddress address;
  address.bytes = sizeof address.storage;
  if (getpeername(socket, address.get(), &address.bytes) != 0) address.bytes = 0;
  return address;
}

std::size_t UringBackend::unacknowledged_bytes(int socket) {
  int bytes = 0;
  return ioctl(socket, SIOCOUTQ, &bytes) == 0 && bytes > 0 ? static_cast<std::size_t>(bytes) : 0;
}

int UringBackend::take_error(int socket) {
  int error = 0;
  socklen_t bytes = sizeof error;
  return getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &bytes) == 0 ? error : 0;
}

int UringBackend::attach_tls(int socket) { return attach_kernel_tls(socket); }

int UringBackend::set_tls_key(int socket, TlsDirection direction, std::span<const std::byte> crypto_info) {
  return set_kernel_tls_key(socket, direction, crypto_info);
}

int UringBackend::shut_down_sending(int socket) { return shutdown(socket, SHUT_WR) == 0 ? 0 : -errno; }

void UringBackend::reset_on_close(int socket) {
  const linger immediately{.l_onoff = 1, .l_linger = 0};
  (void)setsockopt(socket, SOL_SOCKET, SO_LINGER, &immediately, sizeof immediately);
}

void UringBackend::close_socket(int socket) { close(socket); }

}  // namespace ringwall::ring
