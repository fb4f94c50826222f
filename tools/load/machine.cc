#include "load/machine.h"

#include <fmt/core.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include <ctime>
#include <fstream>
#include <sstream>

#include <ringwall/server/process.h>

namespace ringwall::load {

namespace {

// Of the first line that begins with `key`: what stands after its colon.
std::string proc_field(const char* path, std::string_view key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    if (line.starts_with(key) && colon != std::string::npos && colon + 2 <= line.size()) return line.substr(colon + 2);
  }
  return "";
}

}  // namespace

Machine this_machine() {
  Machine machine;
  utsname names{};
  if (uname(&names) == 0) machine.kernel = fmt::format("{} {} {}", names.sysname, names.release, names.machine);
  machine.cpu = proc_field("/proc/cpuinfo", "model name");
  machine.cores = static_cast<unsigned>(server::usable_cores().size());
  struct sysinfo info{};
  if (sysinfo(&info) == 0) machine.memory_bytes = std::uint64_t{info.totalram} * info.mem_unit;
  return machine;
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  char text[32];
  if (gmtime_r(&now, &parts) == nullptr || std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
    return "";
  return text;
}

CpuTicks cpu_ticks() {
  // cpu user nice system idle iowait irq softirq steal …; time of guests is within user's.
  std::ifstream file("/proc/stat");
  std::string line;
  std::getline(file, line);
  std::istringstream fields(line);
  std::string label;
  fields >> label;
  CpuTicks ticks;
  std::uint64_t value = 0;
  for (unsigned field = 0; field < 8 && fields >> value; ++field) {
    const bool is_idle = field == 3 || field == 4;
    ticks.all += value;
    if (!is_idle) ticks.busy += value;
  }
  return ticks;
}

double busy_share(const CpuTicks& before, const CpuTicks& after) {
  if (after.all <= before.all || after.busy < before.busy) return 0;
  return static_cast<double>(after.busy - before.busy) / static_cast<double>(after.all - before.all);
}

}  // namespace ringwall::load
