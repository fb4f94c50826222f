#include <ringwall/server/process.h>

#include <fcntl.h>
#include <fmt/core.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <new>
#include <string_view>

// mimalloc, where the program is linked with it, aborts in `new` without asking for the handler (2.0.9).
extern "C" [[gnu::weak]] void mi_register_error(void (*handler)(int error, void* argument), void* argument);

namespace ringwall::server {

namespace {

void say_memory_is_out() {
  static std::atomic_flag said;
  if (said.test_and_set()) return;
  constexpr std::string_view text =
      "ringwall: out of memory: this process may have no more (cgroup, ulimit -v; systemd: MemoryMax, LimitAS)\n";
  (void)!write(STDERR_FILENO, text.data(), text.size());
}

void on_mimalloc_error(int error, void* /*argument*/) {
  if (error == ENOMEM) say_memory_is_out();
  if (error == EFAULT) std::abort();  // its own answer to a damaged free list, which this function replaces
}

}  // namespace

void open_standard_streams() {
  int descriptor = 0;
  do {
    descriptor = open("/dev/null", O_RDWR);
  } while (descriptor >= 0 && descriptor <= STDERR_FILENO);
  if (descriptor >= 0) close(descriptor);
}

void say_when_memory_is_out() {
  std::set_new_handler([] {
    say_memory_is_out();
    std::abort();
  });
  if (mi_register_error != nullptr) mi_register_error(on_mimalloc_error, nullptr);
}

std::size_t raise_open_files() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  // Some container engines leave the hard limit at infinity; a million connections are enough for one process.
  constexpr rlim_t enough = rlim_t{1} << 20;
  const rlimit raised{.rlim_cur = std::max(limit.rlim_cur, std::min(limit.rlim_max, enough)),
                      .rlim_max = limit.rlim_max};
  if (setrlimit(RLIMIT_NOFILE, &raised) == 0) return raised.rlim_cur;
  return limit.rlim_cur;
}

std::vector<int> usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  std::vector<int> cores;
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int core = 0; core < CPU_SETSIZE; ++core) {
      if (CPU_ISSET(core, &set)) cores.push_back(core);
    }
  }
  if (cores.empty()) cores.push_back(0);
  return cores;
}

void pin_to_core(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  (void)sched_setaffinity(0, sizeof set, &set);
}

Result<Account> account_of(const std::string& user, const std::string& group) {
  if (user.empty()) return Account{.uid = geteuid(), .gid = getegid()};
  const passwd* account = getpwnam(user.c_str());
  if (account == nullptr) {
    return fail(fmt::format("server.user: found \"{}\", expected a user of this system (getent passwd)", user));
  }
  Account found{.uid = account->pw_uid, .gid = account->pw_gid};
  if (group.empty()) return found;
  const struct group* named = getgrnam(group.c_str());
  if (named == nullptr) {
    return fail(fmt::format("server.group: found \"{}\", expected a group of this system (getent group)", group));
  }
  found.gid = named->gr_gid;
  return found;
}

Result<void> drop_privileges(const std::string& user, const std::string& group) {
  if (const passwd* account = getpwnam(user.c_str());
      account != nullptr && account->pw_uid != 0 && account->pw_uid == geteuid()) {
    return {};  // started as it, or by a process that had become it
  }
  if (geteuid() != 0) {
    return fail(
        fmt::format("server.user: found \"{}\", but only root can become another user: start as root, or leave "
                    "server.user empty",
                    user));
  }
  const Result<Account> account = account_of(user, group);
  if (!account) return std::unexpected(account.error());
  const auto& [uid, gid] = *account;
  if (initgroups(user.c_str(), gid) != 0 || setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0) {
    return fail_errno(fmt::format("server.user: could not become {}", user), errno);
  }
  return {};
}

}  // namespace ringwall::server
