// doctor.h: what this kernel and machine offer, and what to do about the rest.
//
// observe() tries things out (a ring with a loopback connection, kernel TLS on it, limits, sysctls) and leaves nothing
// behind; it takes milliseconds and never blocks for more than a second. judge() is pure: the same observation gives
// the same findings.
#pragma once

#include <ringwall/server/kernel_tls.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ringwall::server {

// Error numbers are positive errno values, 0 for success.
struct Observation {
  std::string kernel_release;  // uname -r.
  unsigned cores = 0;          // That this process may use.

  int ring_error = 0;
  std::vector<std::string> missing_operations;  // Of those that Ringwall submits.
  int buffer_ring_error = 0;
  int multishot_accept_error = 0;   // ETIME: it gave nothing.
  int multishot_receive_error = 0;  // The same.
  KernelTls kernel_tls{};

  std::optional<std::uint64_t> io_uring_disabled;  // sysctl kernel.io_uring_disabled, Linux 6.6 and newer.
  bool seccomp_filter = false;                     // A filter may answer in the kernel's place.
  bool takes_filter = false;                       // Of ours (confine.h).
  int landlock_version = 0;                        // 0: none.
  std::uint64_t memlock_bytes = 0;
  std::uint64_t open_files_soft = 0;
  std::uint64_t open_files_hard = 0;
  std::optional<std::uint64_t> somaxconn;
  std::optional<std::uint64_t> unprivileged_port_start;
  bool may_bind_any_port = false;  // CAP_NET_BIND_SERVICE.
};

enum class Verdict : std::uint8_t {
  good,
  weak,  // Ringwall runs, with less.
  bad,   // It cannot run here.
};

struct Finding {
  Verdict verdict;
  std::string subject;  // "io_uring".
  std::string found;
  std::string remedy;  // Empty exactly when the verdict is good.
};

[[nodiscard]] Observation observe();
[[nodiscard]] std::vector<Finding> judge(const Observation& seen);

// "6.1.0-28-amd64" is at least 6.1. False for what is no version.
[[nodiscard]] bool is_kernel_at_least(const std::string& release, unsigned major, unsigned minor);

}  // namespace ringwall::server
