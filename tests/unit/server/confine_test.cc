#include <ringwall/server/confine.h>

#include <fcntl.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include "server/confine_parts.h"
#include "unit/catch.h"

using namespace ringwall;
using namespace ringwall::server;

namespace {

// A folder that is gone with the test.
class Folder {
 public:
  Folder() {
    char name[] = "/tmp/ringwall-confine-XXXXXX";
    path_ = mkdtemp(name);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// What becomes of a process of its own that is confined and then does `act`: its exit status, or minus the signal.
int confined(const Confinement& wanted, const std::function<int()>& act, config::Switch how = config::Switch::on) {
  const pid_t child = fork();
  if (child == 0) {
    const Confined reached = confine(wanted, how, false);
    if (reached.filter_error == ENOTSUP) _exit(200);  // a sanitizer's
    _exit(reached.capabilities_error != 0 || reached.filter_error != 0 ? 201 : act());
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

bool has_filter() {
  return has_system_call_filters() && confined({}, [] { return 0; }) != 200;
}

// Of execve, which comes back only where it is refused.
int execute_error(const char* path) {
  execl(path, path, "-h", nullptr);
  return errno;
}

// 0: it was started and told what it is for, or nothing.
int can_be_started(const char* path) {
  const pid_t child = fork();
  if (child == 0) {
    (void)close(STDOUT_FILENO);
    (void)close(STDERR_FILENO);
    execl(path, path, "-h", nullptr);
    _exit(errno == 0 ? 1 : errno);
  }
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

int open_error(const std::string& path, int flags) {
  const int descriptor = open(path.c_str(), flags | O_CLOEXEC, 0600);
  return descriptor >= 0 ? (close(descriptor), 0) : errno;
}

}  // namespace

TEST_CASE("a call that only an intruder makes ends the process, one that is merely unknown fails") {
  if (!has_filter()) return;
  CHECK(confined({}, [] { return static_cast<int>(syscall(SYS_ptrace, 0, 0, 0, 0)); }) == -SIGSYS);
  CHECK(confined({}, [] {
          std::thread([] { (void)syscall(SYS_ptrace, 0, 0, 0, 0); }).join();
          return 0;
        }) == -SIGSYS);
  CHECK(confined({}, [] { return setuid(0); }) == -SIGSYS);
  CHECK(confined({}, [] { return syscall(SYS_sethostname, "x", 1) < 0 ? errno : 0; }) == ENOSYS);
  CHECK(confined({}, [] { return socket(AF_PACKET, SOCK_RAW, 0) < 0 ? errno : 0; }) == ENOSYS);
  CHECK(confined({}, [] { return syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0) < 0 ? errno : 0; }) == ENOSYS);
}

TEST_CASE("threads and sockets are made as before") {
  if (!has_filter()) return;
  CHECK(confined({}, [] {
          int found = 1;
          std::thread([&found] { found = socket(AF_INET6, SOCK_STREAM, 0) >= 0 ? 0 : errno; }).join();
          return found;
        }) == 0);
}

TEST_CASE("what serves starts its own program and no other, not even one that it may read") {
  if (landlock_version() == 0 || !has_filter()) return;
  const Confinement wanted = confinement(config::Config{}, "");
  CHECK(confined(wanted, [] { return open_error("/bin/sh", O_RDONLY); }) == 0);
  CHECK(confined(wanted, [] { return execute_error("/bin/sh"); }) == EACCES);
  CHECK(confined(wanted, [] { return can_be_started("/bin/sh"); }) == EACCES);
  CHECK(confined(wanted, [] { return can_be_started("/proc/self/exe"); }) == 0);
}

TEST_CASE("a program that has taken the place of this one may be started, once it is in its folder") {
  if (landlock_version() == 0 || !has_filter()) return;
  const Folder folder;
  std::filesystem::create_directory(folder / "bin");
  Confinement wanted = confinement(config::Config{}, "");
  wanted.executable.push_back(folder / "bin");
  wanted.readable.push_back(folder.path());
  wanted.writable.push_back(folder.path());
  const auto start = [&](const std::string& name) {
    return confined(wanted, [&] {
      std::filesystem::copy_file("/bin/true", folder / name);
      return can_be_started((folder / name).c_str());
    });
  };
  CHECK(start("bin/program") == 0);
  CHECK(start("program") == EACCES);
}

TEST_CASE("a successor adds nothing to what it has inherited, unless it wants something else") {
  if (!has_filter()) return;
  const Confinement wanted = confinement(config::Config{}, "");
  Confinement less = wanted;
  less.readable.pop_back();
  const auto filters = [] {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
      if (int number = 0; word == "Seccomp_filters:" && status >> number) return number;
    }
    return -1;
  };
  const int before = filters();
  CHECK(confined(wanted, [&] {
          for (int successor = 0; successor < 20; ++successor) {
            const Confined reached = confine(wanted, config::Switch::on, true);
            if (!reached.is_inherited || reached.filter_error != 0) return 100;
            if ((reached.landlock_error == 0) != (landlock_version() > 0)) return 101;
          }
          if (!confine(wanted, config::Switch::off, true).is_inherited) return 102;
          return filters();
        }) == before + 1);
  CHECK(confined(wanted, [&] {
          if (confine(less, config::Switch::on, true).is_inherited) return 100;
          return filters();
        }) == before + 2);
  // Who was started by somebody else believes no variable.
  CHECK(confined(wanted, [&] {
          if (confine(wanted, config::Switch::on, false).is_inherited) return 100;
          return filters();
        }) == before + 2);
}

TEST_CASE("the filter that is loaded is known before and after, so that another version's is told from it") {
  if (!has_filter()) return;
  const std::string program = filter_program();
  CHECK(program.size() > 1000);
  CHECK(confined(confinement(config::Config{}, ""), [&] { return filter_program() == program ? 0 : 1; }) == 0);
}

TEST_CASE("the kernel stacks so many rulesets and no more, which leaves none of them out of force") {
  if (landlock_version() == 0 || !has_filter()) return;
  constexpr int rulesets_max = 16;  // LANDLOCK_MAX_NUM_LAYERS of the kernel
  const auto stacked = [&](bool is_successor) {
    return confined({.readable = {"/etc"}}, [&] {
      for (int layer = 1; layer < rulesets_max; ++layer) {
        if (confine({.readable = {"/etc"}}, config::Switch::on, false).landlock_error != 0) return 100;
      }
      const Confined last = confine({}, config::Switch::on, is_successor);
      if (last.is_inherited != is_successor || open_error("/usr", O_RDONLY) != EACCES) return 101;
      return last.landlock_error;
    });
  };
  CHECK(stacked(true) == 0);
  CHECK(stacked(false) == E2BIG);
}

TEST_CASE("files are read where they may be, written in the state folder, and nowhere else") {
  if (landlock_version() == 0 || !has_filter()) return;
  const Folder folder;
  for (const char* name : {"read", "state", "else"}) std::filesystem::create_directory(folder / name);
  for (const char* name : {"read/file", "state/file", "else/file"}) std::ofstream(folder / name) << "text";
  const Confinement wanted{.readable = {folder / "read", folder / "not-there"}, .writable = {folder / "state"}};
  const auto error = [&](const std::string& name, int flags) {
    return confined(wanted, [&] { return open_error(folder / name, flags); });
  };
  CHECK(error("read/file", O_RDONLY) == 0);
  CHECK(error("read/file", O_RDWR) == EACCES);
  CHECK(error("read/new", O_WRONLY | O_CREAT) == EACCES);
  CHECK(error("state/file", O_RDWR | O_TRUNC) == 0);
  CHECK(error("state/new", O_WRONLY | O_CREAT) == 0);
  CHECK(error("else/file", O_RDONLY) == EACCES);
  CHECK(confined(wanted, [&] { return open_error(folder / "else/file", O_RDONLY); }, config::Switch::off) == 0);
}

TEST_CASE("a configuration's files may be read again where their links lead, and after a link is put elsewhere") {
  const Folder folder;
  for (const char* name : {"live", "archive", "conf"}) std::filesystem::create_directory(folder / name);
  std::ofstream(folder / "archive/cert1.pem") << "text";
  std::ofstream(folder / "archive/cert2.pem") << "text";
  std::filesystem::create_symlink("../archive/cert1.pem", folder / "live/cert.pem");
  config::Config config;
  config.server.state_dir = folder / "state";
  config.listeners.emplace_back().certificates.push_back({folder / "live/cert.pem", folder / "live/cert.pem", ""});
  const Confinement wanted = confinement(config, folder / "conf/ringwall.toml");
  CHECK(wanted.writable == std::vector{folder / "state"});
  CHECK(std::ranges::find(wanted.readable, folder / "conf") != wanted.readable.end());
  if (landlock_version() == 0 || !has_filter()) return;
  std::filesystem::remove(folder / "live/cert.pem");
  std::filesystem::create_symlink("../archive/cert2.pem", folder / "live/cert.pem");
  CHECK(confined(wanted, [&] { return open_error(folder / "live/cert.pem", O_RDONLY); }) == 0);
  CHECK(confined(wanted, [&] { return open_error(folder.path(), O_RDONLY | O_DIRECTORY); }) == EACCES);
}

TEST_CASE("the start says what is held and what is not") {
  CHECK(confined_text({.landlock_version = 4}) ==
        "  confined: no capability, no new privileges, files by Landlock 4, system calls by a filter\n");
  CHECK(confined_text({.landlock_error = EOPNOTSUPP, .filter_error = EINVAL}) ==
        "  confined: no capability, no new privileges, all files of this account (no Landlock: EOPNOTSUPP), all system "
        "calls (no filter: EINVAL)\n");
  CHECK(
      confined_text({.landlock_version = 4, .is_inherited = true}) ==
      "  confined: no capability, no new privileges, files by Landlock 4, system calls by a filter, inherited from the "
      "process before this one\n");
  CHECK(confined_text({.is_off = true, .landlock_version = 4, .is_inherited = true}) ==
        "  confined: no capability, no new privileges, files by Landlock 4, system calls by a filter, inherited "
        "(server.confine is \"off\", which needs a restart)\n");
  CHECK(confined_text({.landlock_error = E2BIG, .landlock_version = 4}) ==
        "  confined: no capability, no new privileges, files by the Landlock rulesets that it was started under, which "
        "leave no place for its own, system calls by a filter\n");
  CHECK(confined_text({.is_off = true}) ==
        "  confined: no capability, no new privileges; all else of this account (server.confine is \"off\")\n");
}
