#include "load/process_watch.h"

#include <cerrno>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>

namespace ringwall::load {

namespace {

double clock_us(clockid_t clock) {
  timespec time{};
  if (clock_gettime(clock, &time) != 0) return 0;
  return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_nsec) / 1e3;
}

}  // namespace

Result<ProcessWatch> ProcessWatch::of(int pid) {
  clockid_t clock{};
  if (const int error = clock_getcpuclockid(pid, &clock); error != 0) {
    return fail("process " + std::to_string(pid) +
                " cannot be watched: " + (error == ESRCH ? "there is none of this number" : errno_text(error)));
  }
  return ProcessWatch(pid, clock);
}

CpuTimes ProcessWatch::cpu() const {
  CpuTimes times{.total_us = clock_us(clock_)};
  std::ifstream file("/proc/" + std::to_string(pid_) + "/stat");
  std::string line;
  std::getline(file, line);
  // The name, in brackets, may hold anything. utime is the 12th field after it.
  const std::size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return times;
  std::istringstream fields(line.substr(name_end + 1));
  std::string skipped;
  for (int field = 0; field < 11; ++field) fields >> skipped;
  fields >> times.user_ticks >> times.system_ticks;
  return times;
}

std::uint64_t ProcessWatch::rss_bytes() const {
  const std::string folder = "/proc/" + std::to_string(pid_);
  for (const char* name : {"/smaps_rollup", "/status"}) {
    std::ifstream file(folder + name);
    std::string word;
    while (file >> word) {
      std::uint64_t kib = 0;
      if ((word == "Rss:" || word == "VmRSS:") && file >> kib) return kib * 1024;
      file.ignore(std::numeric_limits<std::streamsize>::max(), '\n');
    }
  }
  return 0;
}

double own_cpu_us() { return clock_us(CLOCK_PROCESS_CPUTIME_ID); }

double thread_cpu_us() { return clock_us(CLOCK_THREAD_CPUTIME_ID); }

}  // namespace ringwall::load
