// process_numbers.h: what the kernel says of this process. Any thread. Source: proc(5), getrusage(2), getrlimit(2).
#pragma once

#include <cstdint>

namespace ringwall::admin {

struct ProcessNumbers {
  double cpu_s = 0;
  double start_s = 0;  // Unix time
  std::uint64_t resident_bytes = 0;
  std::uint64_t open_files_max = 0;
};

// What cannot be had is 0.
[[nodiscard]] ProcessNumbers process_numbers();
// Apart: before Linux 6.2 each of them is counted, and a connection has one or two.
[[nodiscard]] std::uint64_t open_files();

}  // namespace ringwall::admin
