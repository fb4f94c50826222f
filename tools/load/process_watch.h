// process_watch.h: the CPU time and memory of a process, this one or another. Any thread.
//
// The sum of its CPU time is exact (the process's CPU clock); how it divides into user and system is known in ticks of
// 10 ms (/proc/PID/stat) and applied to the sum. Source: clock_getcpuclockid(3), proc(5).
#pragma once

#include <ringwall/error.h>

#include <cstdint>
#include <ctime>

namespace ringwall::load {

struct CpuTimes {
  double total_us = 0;
  std::uint64_t user_ticks = 0, system_ticks = 0;
};

class ProcessWatch {
 public:
  [[nodiscard]] static Result<ProcessWatch> of(int pid);

  // Zeros once the process has gone.
  [[nodiscard]] CpuTimes cpu() const;
  [[nodiscard]] std::uint64_t rss_bytes() const;

 private:
  ProcessWatch(int pid, clockid_t clock) : pid_(pid), clock_(clock) {}

  int pid_;
  clockid_t clock_;
};

[[nodiscard]] double own_cpu_us();     // of this process
[[nodiscard]] double thread_cpu_us();  // of the thread that calls

}  // namespace ringwall::load
