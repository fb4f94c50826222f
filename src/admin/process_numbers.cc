#include "process_numbers.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>

namespace ringwall::admin {

namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

double now_s(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

// Field 22 of /proc/self/stat; the name in field 2 may hold spaces and brackets.
double started_after_boot_s() {
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t bracket = line.rfind(')');
  if (bracket == line.npos) return 0;
  unsigned long long ticks = 0;
  const int found =
      std::sscanf(line.c_str() + bracket + 1,
                  " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &ticks);
  return found == 1 ? static_cast<double>(ticks) / static_cast<double>(sysconf(_SC_CLK_TCK)) : 0;
}

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

std::uint64_t open_files() {
  struct stat status{};
  if (stat("/proc/self/fd", &status) == 0 && status.st_size > 0) return static_cast<std::uint64_t>(status.st_size);
  DIR* folder = opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  std::uint64_t count = 0;
  while (const dirent* entry = readdir(folder)) count += entry->d_name[0] != '.' ? 1 : 0;
  closedir(folder);
  return count - 1;  // without the one that it is read by
}

ProcessNumbers process_numbers() {
  ProcessNumbers numbers;
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) numbers.cpu_s = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  static const double start_s = started_after_boot_s() + now_s(CLOCK_REALTIME) - now_s(CLOCK_BOOTTIME);
  numbers.start_s = start_s;
  numbers.resident_bytes = resident_bytes();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) numbers.open_files_max = limit.rlim_cur;
  return numbers;
}

}  // namespace ringwall::admin
