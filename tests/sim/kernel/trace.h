// trace.h: the last things that happened, kept unformatted and printed only when a run has failed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>

namespace ringwall::sim {

class Trace {
 public:
  static constexpr std::size_t entries_max = 1024;
  static constexpr std::size_t values_max = 4;

  // `format` is a string literal with a %ld for each value.
  template <typename... Values>
  void add(std::uint64_t at_ns, const char* format, Values... values) {
    static_assert(sizeof...(values) <= values_max);
    entries_[added_++ % entries_max] = {at_ns, format, {static_cast<long>(values)...}};
  }

  // The oldest first, in time since `start_ns`.
  void print(std::FILE* out, std::uint64_t start_ns) const;

 private:
  struct Entry {
    std::uint64_t at_ns;
    const char* format;
    std::array<long, values_max> values;
  };

  std::array<Entry, entries_max> entries_{};
  std::size_t added_ = 0;
};

}  // namespace ringwall::sim
