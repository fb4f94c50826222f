// unix_socket.h: the admin interface's socket in the file system. Source: unix(7).
#pragma once

#include <ringwall/error.h>

#include <sys/types.h>

#include <string>

namespace ringwall::admin {

// Whether a process listens at `path`.
[[nodiscard]] bool is_listened_at(const std::string& path);

// Where that process makes its socket: nobody finds it with wrong rights, or its place empty.
[[nodiscard]] std::string path_made(const std::string& path, pid_t pid);

// Listens at a name of its own beside `path`, for its owner and group alone (mode 0660), until place_unix() moves it to
// `path`. The owner is `uid` and `gid`, where the caller may give it away. What is at `path` has to be a socket.
[[nodiscard]] Result<int> listen_unix(const std::string& path, uid_t uid, gid_t gid);

// In place of a socket that is there: that of a process which has ended, or one whose place this one takes.
[[nodiscard]] Result<void> place_unix(const std::string& path);

// Removes the file at `path` if it is the socket that this process listens with, and the one beside it if it was never
// moved there.
void remove_unix(const std::string& path);

}  // namespace ringwall::admin
