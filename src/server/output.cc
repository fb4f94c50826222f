#include <ringwall/server/output.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

namespace ringwall::server {

int print(std::string_view text, int exit_code) {
  const bool is_written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size();
  const bool is_flushed = std::fflush(stdout) == 0;
  if (is_written && is_flushed) return exit_code;
  print_error(std::string("ringwall: standard output cannot be written: ") + std::strerror(errno) + "\n");
  return 1;
}

void print_error(std::string_view text) { (void)std::fwrite(text.data(), 1, text.size(), stderr); }

}  // namespace ringwall::server
