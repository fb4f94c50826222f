// confine_parts.h: the halves of confine() that not every kernel has: Landlock since 5.13, filters since 3.17.
#pragma once

#include <ringwall/server/confine.h>

#include <string>

namespace ringwall::server {

// Nothing but what is wanted may be opened from here on, by this thread and those that it starts. 0 or an errno.
// Before it, PR_SET_NO_NEW_PRIVS.
[[nodiscard]] int confine_files(const Confinement& wanted);

// The same for system calls.
[[nodiscard]] int confine_calls();

// The filter that confine_calls() loads, as the kernel gets it; empty where there is none.
[[nodiscard]] std::string filter_program();

}  // namespace ringwall::server
