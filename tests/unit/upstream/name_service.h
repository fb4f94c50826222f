// name_service.h: what getaddrinfo says in this program. A test's own names, so that no test depends on a machine's.
#pragma once

#include <string>
#include <vector>

namespace ringwall::upstream::test {

struct Names {
  std::vector<std::string> addresses{};  // literals; one that is none stands for a family that is not of the internet
  int code = 0;                          // for gai_strerror
  unsigned silence_ms = 0;               // before anything is said
};

// From here on; any thread. A name that was never set is EAI_NONAME.
void set_name(const std::string& host, Names names);
// How often a host was asked for.
[[nodiscard]] unsigned times_asked(const std::string& host);

}  // namespace ringwall::upstream::test
