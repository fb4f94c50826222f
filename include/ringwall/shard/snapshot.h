// snapshot.h: a shard's counters at one moment, copied so that others can read them.
//
// take() runs on the shard's thread, as a letter (mailbox.h), into memory that the asker has made; a value afterwards.
#pragma once

#include <ringwall/connection/connection.h>
#include <ringwall/quota/decision.h>
#include <ringwall/ring/ring.h>
#include <ringwall/session/counters.h>
#include <ringwall/session/guard.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ringwall::shard {

class Shard;

// Bytes of a budget, its bound, and how often that was in the way.
struct Usage {
  std::uint64_t used = 0;
  std::uint64_t bound = 0;
  std::uint64_t times_reached = 0;
};

// Where a shard's time went, in ns. `kernel` is its CPU time outside of the handlers, so that it holds what the kernel
// did for it while it waited; a handler that was interrupted for others makes it too small, never too large.
struct LoopTime {
  std::uint64_t handlers_ns = 0;
  std::uint64_t kernel_ns = 0;
  std::uint64_t idle_ns = 0;

  // Goes on from what was told last to `between_ns` and `enter_ns` of the ring and the thread's CPU time: none of the
  // three ever becomes less.
  void advance(std::uint64_t between_ns, std::uint64_t enter_ns, std::uint64_t cpu_ns);

 private:
  std::uint64_t enter_ns_ = 0;
  std::uint64_t cpu_ns_ = 0;
};

struct NodeCounters {
  std::uint64_t connect_failures = 0;
  std::uint64_t limit_reached = 0;
};

struct Snapshot {
  void take(Shard& shard);

  session::SessionCounters sessions{};
  session::CallCounters calls{};
  session::GuardCounters guard{};
  session::EndCounters ended{};
  quota::Counters quota{};
  connection::ConnectionCounters connections{};
  ring::RingCounters ring{};
  std::vector<NodeCounters> nodes{};  // as Service::nodes
  LoopTime loop{};
  Usage backlog{};
  Usage assembly{};
  Usage arena{};
  std::uint64_t opened = 0;
  std::uint64_t accept_pauses = 0;
  std::uint64_t accept_refused = 0;
};

}  // namespace ringwall::shard
