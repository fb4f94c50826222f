#include <ringwall/server/confine.h>

#include <fmt/core.h>
#include <link.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <optional>
#include <sstream>
#include <string_view>

#include "confine_parts.h"

namespace ringwall::server {
namespace {

namespace fs = std::filesystem;

constexpr int links_max = 40;  // As the kernel's own bound (path_resolution(7)).

// All of /etc and not its few files that are read: they are replaced by name, and a rule goes with the file that was.
// So do the folders within /proc and /sys, which the kernel makes anew when it needs memory. What is secret in them is
// kept from us by its permissions. They are read by name lookups, the C library, the allocator, and for what we tell of
// ourselves.
constexpr std::array<std::string_view, 11> system_paths{
    "/etc",  "/usr", "/lib",         "/lib64", "/run/systemd", "/run/resolvconf", "/run/nscd", "/run/NetworkManager",
    "/proc", "/sys", "/var/run/nscd"};

// The folder of `path`, and of what each symbolic link in its place points to. The links of certbot and of Kubernetes
// are within folders that stay.
void add_folders(std::vector<std::string>& readable, const std::string& path) {
  std::error_code error;
  fs::path step = fs::absolute(path, error);
  for (int links = 0; links < links_max && !error; ++links) {
    readable.push_back(step.parent_path().string());
    if (!fs::is_symlink(step, error)) return;
    step = step.parent_path() / fs::read_symlink(step, error);
  }
}

// Of the C library's, which starts this program; where it is linked into it, empty.
std::string loader_folder() {
  std::string path;
  const auto take = [](dl_phdr_info* program, std::size_t, void* to) {
    for (int at = 0; at < program->dlpi_phnum; ++at) {
      const ElfW(Phdr)& header = program->dlpi_phdr[at];
      if (header.p_type != PT_INTERP) continue;
      *static_cast<std::string*>(to) = reinterpret_cast<const char*>(program->dlpi_addr + header.p_vaddr);
    }
    return 1;  // the first one is the program itself (dl_iterate_phdr(3))
  };
  dl_iterate_phdr(take, &path);
  std::error_code error;
  return path.empty() ? path : fs::canonical(path, error).parent_path().string();
}

// Of the program that this process runs, which may have been replaced since.
std::string program_folder() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path().string();
}

constexpr const char* held_variable = "LISTEN_FDS_CONFINEMENT";

// What the process before this one has confined itself to. It holds here as well: rulesets and filters are a child's
// too.
struct Held {
  std::size_t wanted;  // digest()
  int landlock_error;
  int filter_error;
};

std::size_t digest(const Confinement& wanted) {
  std::string text = filter_program();
  for (const std::vector<std::string>* paths : {&wanted.readable, &wanted.writable, &wanted.executable}) {
    for (const std::string& path : *paths) text += "\n" + path;
    text += "\n\n";
  }
  return std::hash<std::string>{}(text);
}

// Believed of a predecessor's child alone, and only where the kernel does not say otherwise.
std::optional<Held> held_by_predecessor(bool is_successor) {
  const char* const text = std::getenv(held_variable);
  if (!is_successor || text == nullptr || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return std::nullopt;
  Held held{};
  if (!(std::istringstream(text) >> held.wanted >> held.landlock_error >> held.filter_error)) return std::nullopt;
  if (held.filter_error == 0 && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) != SECCOMP_MODE_FILTER) return std::nullopt;
  return held;
}

// No other thread is there to read the environment meanwhile.
void tell_successors(const Held& held) {
  const std::string text = fmt::format("{} {} {}", held.wanted, held.landlock_error, held.filter_error);
  setenv(held_variable, text.c_str(), 1);
}

// Nothing of `reached`'s own where that could not be had, but the predecessor's.
void fall_back(int& error, int held_error, bool& is_inherited) {
  if (error == 0 || held_error != 0) return;
  error = 0;
  is_inherited = true;
}

// 0 or an errno. What may come back by execve goes first, while that is allowed to us.
int drop_capabilities() {
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; ++capability) {
    (void)prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);  // EPERM for who has none to drop it with: it has none to gain
  }
  (void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  const std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  return syscall(SYS_capset, &header, none.data()) == 0 ? 0 : errno;
}

std::string name_of(int error) { return strerrorname_np(error); }

std::string files_text(const Confined& confined) {
  if (confined.landlock_error == 0) return fmt::format("files by Landlock {}", confined.landlock_version);
  if (confined.landlock_error == E2BIG) {
    return "files by the Landlock rulesets that it was started under, which leave no place for its own";
  }
  return "all files of this account (no Landlock: " + name_of(confined.landlock_error) + ")";
}

std::string calls_text(const Confined& confined) {
  if (confined.filter_error == 0) return "system calls by a filter";
  return "all system calls (no filter: " + name_of(confined.filter_error) + ")";
}

}  // namespace

Confinement confinement(const config::Config& config, const std::string& config_file) {
  Confinement wanted{.readable = {system_paths.begin(), system_paths.end()},
                     .writable = {config.server.state_dir},
                     .executable = {program_folder()}};
  if (std::string folder = loader_folder(); !folder.empty()) wanted.executable.push_back(std::move(folder));
  add_folders(wanted.readable, "/etc/resolv.conf");
  if (!config_file.empty()) add_folders(wanted.readable, config_file);
  if (!config.admin.socket.empty()) {
    wanted.writable.push_back(fs::absolute(config.admin.socket).parent_path().string());
  }
  for (const config::Listener& listener : config.listeners) {
    if (!listener.acme_webroot.empty()) wanted.readable.push_back(listener.acme_webroot);
    for (const config::Certificate& row : listener.certificates) {
      add_folders(wanted.readable, row.cert);
      add_folders(wanted.readable, row.key);
      if (!row.ocsp.empty()) add_folders(wanted.readable, row.ocsp);
    }
  }
  return wanted;
}

Confined confine(const Confinement& wanted, config::Switch confined, bool is_successor) {
  const std::optional<Held> held = held_by_predecessor(is_successor);
  const std::size_t wanted_digest = digest(wanted);
  if (!held) unsetenv(held_variable);
  Confined reached{.capabilities_error = drop_capabilities()};
  (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  reached.is_off = confined == config::Switch::off;
  reached.landlock_version = landlock_version();
  if (held && (reached.is_off || held->wanted == wanted_digest)) {
    reached.landlock_error = held->landlock_error;
    reached.filter_error = held->filter_error;
    reached.is_inherited = true;
    return reached;
  }
  if (reached.is_off) return reached;
  reached.landlock_error = confine_files(wanted);
  reached.filter_error = confine_calls();
  if (held) {
    fall_back(reached.landlock_error, held->landlock_error, reached.is_inherited);
    fall_back(reached.filter_error, held->filter_error, reached.is_inherited);
  }
  tell_successors({wanted_digest, reached.landlock_error, reached.filter_error});
  return reached;
}

std::string confined_text(const Confined& confined) {
  std::string text = "  confined: ";
  text += confined.capabilities_error == 0 ? "no capability"
                                           : "capabilities kept (" + name_of(confined.capabilities_error) + ")";
  text += ", no new privileges";
  if (confined.is_off && !confined.is_inherited) {
    return text + "; all else of this account (server.confine is \"off\")\n";
  }
  text += ", " + files_text(confined) + ", " + calls_text(confined);
  if (confined.is_off) return text + ", inherited (server.confine is \"off\", which needs a restart)\n";
  return text + (confined.is_inherited ? ", inherited from the process before this one\n" : "\n");
}

}  // namespace ringwall::server
