// check.h: assertions that stay on in every build.
//
// For what cannot happen unless Ringwall itself is wrong. A peer's mistake never reaches one: that is an Error or a
// refusal. A failed check prints the condition and its place, and aborts: going on would relay wrong bytes.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace ringwall {

[[noreturn, gnu::cold, gnu::noinline]] inline void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "ringwall: check failed: %s (%s:%d)\n", condition, file, line);
  std::abort();
}

}  // namespace ringwall

#define RINGWALL_CHECK(condition)                              \
  (__builtin_expect(static_cast<bool>(condition), 1) ? void(0) \
                                                     : ::ringwall::check_failed(#condition, __FILE__, __LINE__))
