// machine.h: where and when a run was made, and how busy all of this machine was meanwhile.
//
// Source: uname(2), proc(5) (/proc/stat, /proc/cpuinfo, /proc/meminfo). What cannot be read is empty or 0.
#pragma once

#include <cstdint>
#include <string>

namespace ringwall::load {

struct Machine {
  std::string kernel;  // "Linux 6.1.0-18-amd64 x86_64"
  std::string cpu;
  unsigned cores = 0;  // that this process may run on
  std::uint64_t memory_bytes = 0;
};
[[nodiscard]] Machine this_machine();

// "2026-01-31T12:00:00Z"
[[nodiscard]] std::string utc_now();

// Since the machine started, of all its cores, in the kernel's ticks.
struct CpuTicks {
  std::uint64_t busy = 0;
  std::uint64_t all = 0;
};
[[nodiscard]] CpuTicks cpu_ticks();
// 0 to 1; 0 where no tick passed.
[[nodiscard]] double busy_share(const CpuTicks& before, const CpuTicks& after);

}  // namespace ringwall::load
