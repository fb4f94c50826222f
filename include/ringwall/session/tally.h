// tally.h: what a session has asked for, kept in it as it goes on. A value.
#pragma once

#include <cstdint>

namespace ringwall::session {

struct Tally {
  std::uint64_t opened_ns = 0;
  std::uint64_t units = 0;          // that its calls cost which went to the node
  std::uint32_t calls = 0;          // that went to the node, or were answered for it
  std::uint32_t denied = 0;         // calls, by the rules of methods or because they could not be read
  std::uint32_t limited = 0;        // calls and requests refused for a limit
  std::uint32_t subscriptions = 0;  // asked for
};

}  // namespace ringwall::session
