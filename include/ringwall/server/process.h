// process.h: what the process takes from the system before it serves, and gives up.
//
// Called once each, by main, before there are threads.
#pragma once

#include <ringwall/error.h>

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <vector>

namespace ringwall::server {

// Started without them, a socket of ours would take the place of a standard stream, and the log.
void open_standard_streams();

// Memory that `new` cannot get ends the process, here with a line that says so.
void say_when_memory_is_out();

// Raises RLIMIT_NOFILE to its hard limit. Returns what may be open now.
[[nodiscard]] std::size_t raise_open_files();

// The cores that this process may run on.
[[nodiscard]] std::vector<int> usable_cores();

// Keeps the calling thread on one core. It may not be allowed to: then it stays where the kernel puts it.
void pin_to_core(int core);

struct Account {
  uid_t uid;
  gid_t gid;
};
// Of `user` and `group` (empty: the user's own); those of this process where `user` is empty.
[[nodiscard]] Result<Account> account_of(const std::string& user, const std::string& group);

// Becomes `user` (and `group`; empty: the user's own), for good. Only root can.
[[nodiscard]] Result<void> drop_privileges(const std::string& user, const std::string& group);

}  // namespace ringwall::server
