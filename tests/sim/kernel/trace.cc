#include "sim/kernel/trace.h"

#include <algorithm>

namespace ringwall::sim {

void Trace::print(std::FILE* out, std::uint64_t start_ns) const {
  const std::size_t kept = std::min(added_, entries_max);
  if (added_ > kept) std::fprintf(out, "  (%zu earlier events are not kept)\n", added_ - kept);
  for (std::size_t index = added_ - kept; index < added_; ++index) {
    const Entry& entry = entries_[index % entries_max];
    std::fprintf(out, "  %14.6f ms  ", static_cast<double>(entry.at_ns - start_ns) / 1e6);
    std::fprintf(out, entry.format, entry.values[0], entry.values[1], entry.values[2], entry.values[3]);
    std::fputc('\n', out);
  }
}

}  // namespace ringwall::sim
