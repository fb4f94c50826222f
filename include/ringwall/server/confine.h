// confine.h: what the process may still do once it has its ports and its keys.
//
// Called once, by the main thread before there are others, since each of these reaches the caller and what it starts
// later. In this order: no capability (capabilities(7)); no privilege by execve (PR_SET_NO_NEW_PRIVS); files by
// landlock(7); system calls by seccomp(2). The first two always. The others as far as the kernel has them, unless
// server.confine is off.
//
// A call that no part of Ringwall makes and an intruder would (ptrace, mount, bpf, ...) ends the process by SIGSYS. Any
// other that is not on the list fails with ENOSYS, which a newer libc takes for an older kernel. What is submitted to
// an io_uring passes no such filter, but Landlock all the same.
//
// execve is on the list, for the successor (upgrade.h): Landlock refuses with EACCES what is not of the program's own
// folder, such as a shell. The dynamic loader is the exception that a dynamic program needs, and whoever starts that
// one by its name may have it map any program that can be read. Without Landlock every program may be started.
//
// A successor has all of this from the start, and can only have less. It adds nothing unless it wants something else:
// the kernel stacks 16 of Landlock's rulesets and no more. What it was started under, the process before it says in a
// variable of the environment.
#pragma once

#include <ringwall/config/config.h>

#include <string>
#include <vector>

namespace ringwall::server {

// Paths that are not there are passed over.
struct Confinement {
  std::vector<std::string> readable{};    // Files, and folders with all below them.
  std::vector<std::string> writable{};    // Folders: files in them may be made, replaced and removed too.
  std::vector<std::string> executable{};  // Folders and files: what may be started, which inherits all. Readable too.
};

// Error numbers are positive errno values, 0 for success.
struct Confined {
  int capabilities_error = 0;
  bool is_off = false;  // By server.confine: the following were not tried.
  int landlock_error = 0;
  int landlock_version = 0;
  int filter_error = 0;       // ENOTSUP: this build's sanitizer needs calls of its own.
  bool is_inherited = false;  // Some of it is the predecessor's, which this process could not or need not add to.
};

// What serving `config` takes: the folder of this program, those of its certificates and of each step of their symbolic
// links, its webroots, its own folder, so that all of it can be read again, what name lookups read, and the state
// folder to write; and to start a successor, the folders of this program and of its loader, where a new version of
// either will be another file.
[[nodiscard]] Confinement confinement(const config::Config& config, const std::string& config_file);

// `is_successor`: started by a process of this program, on SIGUSR2.
[[nodiscard]] Confined confine(const Confinement& wanted, config::Switch confined, bool is_successor);

// One line, ended, for the start: what is held and what is not.
[[nodiscard]] std::string confined_text(const Confined& confined);

// The version of the kernel's Landlock, 0 where there is none.
[[nodiscard]] int landlock_version();

// Whether this kernel takes filters of system calls.
[[nodiscard]] bool has_system_call_filters();

}  // namespace ringwall::server
