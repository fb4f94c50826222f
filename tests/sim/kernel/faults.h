// faults.h: what goes wrong, and how often. Each is a state that Linux is allowed to be in.
//
// A rate is a probability from 0 to 1, for each time that the fault could happen.
#pragma once

#include "sim/kernel/random.h"

#include <cstdio>

namespace ringwall::sim {

struct Faults {
  double short_receive = 0;       // a receive gives less than has arrived
  double short_send = 0;          // a send takes less than there is room for
  double multishot_ends = 0;      // a multishot request ends with a good completion
  double no_buffers = 0;          // -ENOBUFS although there are buffers
  double cancel_loses = 0;        // a cancel comes too late
  double late_completion = 0;     // a request is woken up to 20 ms late, so that sockets overtake each other
  double descriptor_refused = 0;  // accept and socket: -EMFILE
  double enter_refused = 0;       // enter says -EAGAIN, -EBUSY or -EINTR, or takes only some of the entries
  double completions_held = 0;    // the completion queue overflows: the rest comes with the next enter
  double connection_reset = 0;    // a connection is reset at both ends, some bytes or some time into its life
  double connect_refused = 0;
  double connect_unanswered = 0;  // -ETIMEDOUT after two minutes
  double connect_slow = 0;        // up to 10 s more

  // Most runs have few kinds of fault, some have many: half of the kinds are off, the others have a rate that is as
  // likely to be 1 in 768 as 1 in 3. Source: Groce et al., "Swarm testing" (ISSTA 2012).
  [[nodiscard]] static Faults drawn(Random& random);

  void print(std::FILE* out) const;
};

}  // namespace ringwall::sim
