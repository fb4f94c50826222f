#include <liburing.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <utility>

#include <ringwall/server/confine.h>
#include <ringwall/server/doctor.h>

#include "loopback.h"

namespace ringwall::server {
namespace {

constexpr unsigned cap_net_bind_service = 10;  // capabilities(7), linux/capability.h.
constexpr unsigned trial_entries = 8;
constexpr unsigned trial_buffer_bytes = 64;
constexpr std::uint16_t trial_group = 0;
constexpr long trial_wait_s = 1;

// What src/ submits to its rings.
constexpr std::array<std::pair<int, const char*>, 10> operations{{{IORING_OP_NOP, "NOP"},
                                                                  {IORING_OP_ACCEPT, "ACCEPT"},
                                                                  {IORING_OP_CONNECT, "CONNECT"},
                                                                  {IORING_OP_RECV, "RECV"},
                                                                  {IORING_OP_SEND, "SEND"},
                                                                  {IORING_OP_SENDMSG, "SENDMSG"},
                                                                  {IORING_OP_READ, "READ"},
                                                                  {IORING_OP_CLOSE, "CLOSE"},
                                                                  {IORING_OP_ASYNC_CANCEL, "ASYNC_CANCEL"},
                                                                  {IORING_OP_POLL_ADD, "POLL_ADD"}}};

class TrialRing {
 public:
  TrialRing() {
    io_uring_params params{};
    params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
    error_ = -io_uring_queue_init_params(trial_entries, &ring_, &params);
  }
  ~TrialRing() {
    if (error_ == 0) {
      io_uring_queue_exit(&ring_);
    }
    ::free(buffers_);
  }
  TrialRing(const TrialRing&) = delete;
  TrialRing& operator=(const TrialRing&) = delete;

  [[nodiscard]] int error() const { return error_; }

  std::vector<std::string> missing_operations() {
    std::vector<std::string> missing;
    io_uring_probe* const probe = io_uring_get_probe_ring(&ring_);
    for (const auto& [operation, name] : operations) {
      if (probe == nullptr || io_uring_opcode_supported(probe, operation) == 0) {
        missing.emplace_back(name);
      }
    }
    io_uring_free_probe(probe);
    return missing;
  }

  int register_buffers() {
    const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    if (::posix_memalign(&buffers_, page, page) != 0) {
      return ENOMEM;
    }
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(buffers_);
    registration.ring_entries = 1;
    registration.bgid = trial_group;
    if (const int result = io_uring_register_buf_ring(&ring_, &registration, 0); result < 0) {
      return -result;
    }
    auto* const entries = static_cast<io_uring_buf_ring*>(buffers_);
    io_uring_buf_ring_init(entries);
    io_uring_buf_ring_add(entries, buffer_.data(), trial_buffer_bytes, 0, 0, 0);
    io_uring_buf_ring_advance(entries, 1);
    return 0;
  }

  // The accepted descriptor in `accepted`, which the caller closes.
  int accept_multishot(int listener, int& accepted) {
    io_uring_prep_multishot_accept(io_uring_get_sqe(&ring_), listener, nullptr, nullptr, SOCK_CLOEXEC);
    return first_completion(accepted);
  }

  int receive_multishot(int socket) {
    io_uring_sqe* const entry = io_uring_get_sqe(&ring_);
    io_uring_prep_recv_multishot(entry, socket, nullptr, 0, 0);
    io_uring_sqe_set_flags(entry, IOSQE_BUFFER_SELECT);
    entry->buf_group = trial_group;
    int bytes = 0;
    return first_completion(bytes);
  }

 private:
  // A positive errno when the operation fails, gives nothing in time, or says that it will give no more.
  int first_completion(int& result) {
    __kernel_timespec wait{};
    wait.tv_sec = trial_wait_s;
    io_uring_cqe* completion = nullptr;
    if (const int submitted = io_uring_submit(&ring_); submitted < 0) {
      return -submitted;
    }
    if (const int waited = io_uring_wait_cqe_timeout(&ring_, &completion, &wait); waited < 0) {
      return -waited;
    }
    result = completion->res;
    const bool goes_on = (completion->flags & IORING_CQE_F_MORE) != 0;
    io_uring_cqe_seen(&ring_, completion);
    if (result < 0) {
      return -result;
    }
    return goes_on ? 0 : ETIME;
  }

  io_uring ring_{};
  int error_ = 0;
  void* buffers_ = nullptr;
  std::array<char, trial_buffer_bytes> buffer_{};
};

void try_ring(Observation& seen, const Loopback& loopback) {
  TrialRing ring;
  seen.ring_error = ring.error();
  if (seen.ring_error != 0) {
    return;
  }
  seen.missing_operations = ring.missing_operations();
  seen.buffer_ring_error = ring.register_buffers();
  int accepted = -1;
  seen.multishot_accept_error =
      loopback.connected ? ring.accept_multishot(loopback.listener.get(), accepted) : ENOTCONN;
  const Descriptor server(accepted);
  if (seen.buffer_ring_error != 0 || accepted < 0) {
    seen.multishot_receive_error = seen.buffer_ring_error != 0 ? seen.buffer_ring_error : seen.multishot_accept_error;
    return;
  }
  seen.multishot_receive_error =
      ::send(loopback.client.get(), "ring", 4, MSG_NOSIGNAL) == 4 ? ring.receive_multishot(server.get()) : errno;
}

std::optional<std::uint64_t> read_number(const char* path) {
  std::ifstream file(path);
  std::uint64_t number = 0;
  return file >> number ? std::optional(number) : std::nullopt;
}

// proc(5): "CapEff:" is hexadecimal, "Seccomp:" is 2 with a filter.
void read_status(Observation& seen) {
  std::ifstream file("/proc/self/status");
  for (std::string key; file >> key;) {
    std::string value;
    std::getline(file, value);
    if (key == "CapEff:") {
      seen.may_bind_any_port = (std::strtoull(value.c_str(), nullptr, 16) >> cap_net_bind_service & 1) != 0;
    } else if (key == "Seccomp:") {
      seen.seccomp_filter = std::strtoul(value.c_str(), nullptr, 10) == 2;
    }
  }
}

void read_limits(Observation& seen) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    seen.open_files_soft = limit.rlim_cur;
    seen.open_files_hard = limit.rlim_max;
  }
  if (::getrlimit(RLIMIT_MEMLOCK, &limit) == 0) {
    seen.memlock_bytes = limit.rlim_cur;
  }
}

}  // namespace

Observation observe() {
  Observation seen;
  utsname names{};
  if (::uname(&names) == 0) {
    seen.kernel_release = names.release;
  }
  cpu_set_t cores;
  if (::sched_getaffinity(0, sizeof cores, &cores) == 0) {
    seen.cores = static_cast<unsigned>(CPU_COUNT(&cores));
  }
  const Loopback loopback;
  try_ring(seen, loopback);
  seen.kernel_tls = try_kernel_tls();
  seen.io_uring_disabled = read_number("/proc/sys/kernel/io_uring_disabled");
  seen.somaxconn = read_number("/proc/sys/net/core/somaxconn");
  seen.unprivileged_port_start = read_number("/proc/sys/net/ipv4/ip_unprivileged_port_start");
  read_status(seen);
  seen.takes_filter = has_system_call_filters();
  seen.landlock_version = landlock_version();
  read_limits(seen);
  return seen;
}

}  // namespace ringwall::server
