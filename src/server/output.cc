#include <ringwall/log/error_stream.h>
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

void print_error(std::string_view text) {
  static constexpr std::string_view severity = "<3>";  // sd-daemon(3): an error; the journal takes it off
  std::string line;
  if (log::ErrorStream().is_journal()) line = severity;
  line += text;
  (void)std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace ringwall::server
