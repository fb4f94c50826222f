#include <ringwall/server/doctor.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

#include <fmt/core.h>

#include <ringwall/server/offload.h>

namespace ringwall::server {
namespace {

constexpr unsigned kernel_major_min = 6;
constexpr unsigned kernel_minor_min = 1;
constexpr std::uint64_t open_files_own = 256;  // Rings, listeners, certificates, logs: what is no client's.
constexpr std::uint64_t open_files_per_client = 2;
constexpr std::uint64_t open_files_good_min = 4'096;
constexpr std::uint64_t somaxconn_good_min = 1'024;
constexpr std::uint64_t https_port = 443;

std::string error_text(int number) { return fmt::format("{} ({})", ::strerrorname_np(number), std::strerror(number)); }

constexpr const char* seccomp_remedy =
    "a seccomp filter stands before this process: let it pass io_uring_setup, io_uring_enter and io_uring_register "
    "(containers: a seccomp profile of your own, or seccomp=unconfined)";

bool is_forbidden_by_filter(const Observation& seen, int error) {
  return seen.seccomp_filter && (error == EPERM || error == ENOSYS || error == EACCES);
}

std::string no_io_uring_remedy(const Observation& seen) {
  if (seen.io_uring_disabled.value_or(0) == 2) {
    return "sysctl -w kernel.io_uring_disabled=0";
  }
  if (seen.io_uring_disabled.value_or(0) == 1) {
    return "sysctl -w kernel.io_uring_disabled=0, or put this account into the group of kernel.io_uring_group";
  }
  if (is_forbidden_by_filter(seen, seen.ring_error)) {
    return seccomp_remedy;
  }
  switch (seen.ring_error) {
    case ENOSYS:
      return "a kernel with CONFIG_IO_URING; sandboxes such as gVisor have none";
    case EPERM:
    case EACCES:
      return "a security module forbids it: look into the kernel's log (SELinux, AppArmor)";
    case EINVAL:
      return "Linux 6.1 or newer, for IORING_SETUP_DEFER_TASKRUN";
    case ENOMEM:
      return "more memory for this cgroup, or a higher limit of locked memory (LimitMEMLOCK=infinity)";
    case EMFILE:
    case ENFILE:
      return "a higher limit of open files";
    default:
      return "Linux 6.1 or newer";
  }
}

Finding judge_kernel(const Observation& seen) {
  if (!is_kernel_at_least(seen.kernel_release, kernel_major_min, kernel_minor_min)) {
    return {Verdict::bad, "kernel", seen.kernel_release,
            "Linux 6.1 or newer: Debian 12, Ubuntu 24.04 and later have it"};
  }
  return {Verdict::good, "kernel", seen.kernel_release, ""};
}

Finding judge_operations(const Observation& seen) {
  std::string missing;
  for (const std::string& operation : seen.missing_operations) {
    missing += (missing.empty() ? "" : ", ") + operation;
  }
  if (!missing.empty()) {
    return {Verdict::bad, "io_uring operations", "not there: " + missing, "Linux 6.1 or newer"};
  }
  return {Verdict::good, "io_uring operations", "all that Ringwall uses", ""};
}

Finding judge_trial(const Observation& seen, const char* subject, int error) {
  if (error != 0) {
    return {Verdict::bad, subject, error_text(error),
            is_forbidden_by_filter(seen, error) ? seccomp_remedy : "Linux 6.1 or newer"};
  }
  return {Verdict::good, subject, "works", ""};
}

void judge_io_uring(const Observation& seen, std::vector<Finding>& findings) {
  if (seen.ring_error != 0) {
    findings.push_back({Verdict::bad, "io_uring", error_text(seen.ring_error), no_io_uring_remedy(seen)});
    return;
  }
  findings.push_back({Verdict::good, "io_uring", "a ring with deferred task work can be made", ""});
  findings.push_back(judge_operations(seen));
  findings.push_back(judge_trial(seen, "buffer ring", seen.buffer_ring_error));
  findings.push_back(judge_trial(seen, "multishot accept", seen.multishot_accept_error));
  findings.push_back(judge_trial(seen, "multishot receive", seen.multishot_receive_error));
}

// "sends and receives", or what it does not and why.
std::string directions_text(const KernelTls::Suite& suite) {
  if (suite.send_error == 0 && suite.receive_error == 0) {
    return "sends and receives";
  }
  const auto direction = [](const char* done, const char* not_done, int error) {
    return error == 0 ? std::string(done) : fmt::format("{}: {}", not_done, ::strerrorname_np(error));
  };
  return direction("sends", "does not send", suite.send_error) + ", " +
         direction("receives", "does not receive", suite.receive_error);
}

void judge_kernel_tls(const Observation& seen, std::vector<Finding>& findings) {
  const KernelTls& kernel = seen.kernel_tls;
  if (kernel.attach_error != 0) {
    Obstacle met = attach_obstacle(kernel.attach_error);
    const std::string found =
        kernel.attach_error == ENOENT ? "no module tls is loaded, or this kernel has none" : std::move(met.found);
    findings.push_back({Verdict::weak, "kernel TLS",
                        found + ": tls.offload = \"auto\" uses user space, \"kernel\" will not start",
                        std::move(met.remedy)});
    return;
  }
  findings.push_back({Verdict::good, "kernel TLS", "can be attached to a connection", ""});
  for (const tls::Cipher cipher : tls::ciphers) {
    const std::string found =
        fmt::format("TLS 1.2 {}; TLS 1.3 {}", directions_text(kernel.suite(tls::Version::tls12, cipher)),
                    directions_text(kernel.suite(tls::Version::tls13, cipher)));
    const bool works = kernel.works(tls::Version::tls12, cipher) && kernel.works(tls::Version::tls13, cipher);
    findings.push_back({works ? Verdict::good : Verdict::weak, std::string(cipher_name(cipher)), found,
                        works ? ""
                              : "a kernel with this cipher (modprobe -a gcm chacha20poly1305); without it TLS stays "
                                "in user space for it"});
  }
  if (!kernel.second_key_error) {
    findings.push_back({Verdict::weak, "new keys",
                        "not tried: the kernel has no cipher of TLS 1.3, whose connections stay in user space",
                        "a kernel with a cipher of TLS 1.3 (modprobe gcm, chacha20poly1305)"});
  } else if (kernel.replaces_keys()) {
    findings.push_back({Verdict::good, "new keys", "the kernel takes them: KeyUpdate ends no connection", ""});
  } else {
    findings.push_back({Verdict::weak, "new keys",
                        "the kernel takes none (" + std::string(::strerrorname_np(*kernel.second_key_error)) +
                            "): a KeyUpdate ends a connection that is in the kernel",
                        "Linux 6.14 or newer, or tls.offload = \"user\""});
  }
}

Finding judge_open_files(const Observation& seen) {
  const std::uint64_t usable = seen.open_files_hard > open_files_own ? seen.open_files_hard - open_files_own : 0;
  std::string found = fmt::format("{} now, {} at most: about {} clients", seen.open_files_soft, seen.open_files_hard,
                                  usable / open_files_per_client);
  if (usable == 0) {
    return {Verdict::bad, "open files", std::move(found),
            "LimitNOFILE=1048576 (systemd), or ulimit -Hn 1048576 as root"};
  }
  if (seen.open_files_hard < open_files_good_min) {
    return {Verdict::weak, "open files", std::move(found),
            "LimitNOFILE=1048576 (systemd), or ulimit -Hn 1048576 as root"};
  }
  return {Verdict::good, "open files", std::move(found), ""};
}

// Rings and their buffers are charged to the cgroup since Linux 5.12, not to this limit.
Finding judge_memlock(const Observation& seen) {
  const bool unlimited = seen.memlock_bytes == std::numeric_limits<std::uint64_t>::max();
  const std::string limit = unlimited ? "no limit" : fmt::format("{} KiB", seen.memlock_bytes / 1'024);
  return {Verdict::good, "locked memory", limit + "; rings do not count against it", ""};
}

Finding judge_backlog(const Observation& seen) {
  if (!seen.somaxconn) {
    return {Verdict::weak, "accept queue", "net.core.somaxconn cannot be read", "mount /proc"};
  }
  if (*seen.somaxconn < somaxconn_good_min) {
    return {Verdict::weak, "accept queue", fmt::format("net.core.somaxconn is {}", *seen.somaxconn),
            "sysctl -w net.core.somaxconn=4096, or a burst of clients is turned away"};
  }
  return {Verdict::good, "accept queue", fmt::format("net.core.somaxconn is {}", *seen.somaxconn), ""};
}

Finding judge_low_ports(const Observation& seen) {
  const std::uint64_t first = seen.unprivileged_port_start.value_or(1'024);
  if (seen.may_bind_any_port || first <= https_port) {
    return {Verdict::good, "port 443", "may be bound", ""};
  }
  return {Verdict::weak, "port 443", fmt::format("this account may bind {} and above", first),
          "AmbientCapabilities=CAP_NET_BIND_SERVICE (systemd), start as root with server.user set, or another port"};
}

Finding judge_seccomp(const Observation& seen) {
  return {Verdict::good, "seccomp", seen.seccomp_filter ? "a filter is in force" : "no filter", ""};
}

Finding judge_confinement(const Observation& seen) {
  const std::string files =
      seen.landlock_version > 0 ? fmt::format("files by Landlock {}", seen.landlock_version) : "no Landlock for files";
  const std::string calls = seen.takes_filter ? "system calls by a filter" : "no filter for system calls";
  const bool is_whole = seen.landlock_version > 0 && seen.takes_filter;
  return {is_whole ? Verdict::good : Verdict::weak, "confinement", files + ", " + calls,
          is_whole ? "" : "a kernel with CONFIG_SECCOMP_FILTER, and with landlock in CONFIG_LSM or lsm="};
}

Finding judge_disabled(const Observation& seen) {
  if (!seen.io_uring_disabled) {
    return {Verdict::good, "io_uring_disabled", "this kernel has no such sysctl", ""};
  }
  const std::string found = fmt::format("kernel.io_uring_disabled is {}", *seen.io_uring_disabled);
  if (*seen.io_uring_disabled == 0) {
    return {Verdict::good, "io_uring_disabled", found, ""};
  }
  if (seen.ring_error != 0) {
    return {Verdict::bad, "io_uring_disabled", found, no_io_uring_remedy(seen)};
  }
  return {Verdict::weak, "io_uring_disabled", found + ": this account may, others may not",
          "sysctl -w kernel.io_uring_disabled=0, if Ringwall shall run as another account"};
}

}  // namespace

bool is_kernel_at_least(const std::string& release, unsigned major, unsigned minor) {
  unsigned found_major = 0;
  unsigned found_minor = 0;
  const char* const end = release.data() + release.size();
  const auto [after_major, major_error] = std::from_chars(release.data(), end, found_major);
  if (major_error != std::errc{} || after_major == end || *after_major != '.') {
    return false;
  }
  const auto [after_minor, minor_error] = std::from_chars(after_major + 1, end, found_minor);
  if (minor_error != std::errc{}) {
    return false;
  }
  return found_major != major ? found_major > major : found_minor >= minor;
}

std::vector<Finding> judge(const Observation& seen) {
  std::vector<Finding> findings{judge_kernel(seen)};
  findings.push_back({Verdict::good, "cores", fmt::format("{}, a shard each with --shards auto", seen.cores), ""});
  judge_io_uring(seen, findings);
  findings.push_back(judge_disabled(seen));
  findings.push_back(judge_seccomp(seen));
  findings.push_back(judge_confinement(seen));
  judge_kernel_tls(seen, findings);
  findings.push_back(judge_memlock(seen));
  findings.push_back(judge_open_files(seen));
  findings.push_back(judge_backlog(seen));
  findings.push_back(judge_low_ports(seen));
  return findings;
}

}  // namespace ringwall::server
