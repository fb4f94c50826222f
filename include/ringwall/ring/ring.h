// ring.h: a shard's turn: submit what was prepared, wait, dispatch what completed.
//
// One ring belongs to one shard's thread. Handlers run only from turn(), one after another, never inside one another.
// Nothing is submitted between two turns unless the submission queue fills: then what is there is submitted early, and
// if the kernel cannot take it now it waits in a spill list, in order.
// Source: io_uring(7), io_uring_enter(2).
#pragma once

#include <ringwall/ring/backend.h>
#include <ringwall/ring/operation.h>
#include <ringwall/ring/timer_wheel.h>

#include <cstdint>
#include <vector>

namespace ringwall::ring {

struct RingCounters {
  std::uint64_t turns = 0;
  std::uint64_t completions = 0;
  std::uint64_t submitted = 0;
  std::uint64_t spilled = 0;     // entries that found the submission queue full
  std::uint64_t enter_ns = 0;    // in the kernel's hands: it works for us, or there is nothing to do
  std::uint64_t between_ns = 0;  // between two of these: handlers, timers, and what the owner does between two turns
};

class Ring {
 public:
  explicit Ring(Backend& backend);
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring();

  // A zeroed entry bound to `operation`, which is in flight from here. The reference is good until the next call.
  [[nodiscard]] io_uring_sqe& prepare(Operation& operation);

  // Asks the kernel to end `target`; its last completion says how that went (it may have ended by itself).
  // `canceller` belongs to the target's owner and must not be in flight. It completes with 0 when the target is about
  // to end. Found by user_data: to cancel all of a descriptor, Linux goes through all that is in flight on the ring.
  void cancel(Operation& target, Operation& canceller);

  // Submits, waits for a completion, a timer or `wait_ns_max` (0: does not wait), then dispatches completions and
  // timers.
  void turn(std::uint64_t wait_ns_max);

  [[nodiscard]] TimerWheel& timers() { return timers_; }
  [[nodiscard]] Backend& backend() { return backend_; }
  [[nodiscard]] std::uint64_t now_ns() const { return now_ns_; }  // the clock as read at this turn's start
  [[nodiscard]] const RingCounters& counters() const { return counters_; }
  [[nodiscard]] unsigned operations_in_flight() const { return in_flight_; }

 private:
  [[nodiscard]] io_uring_sqe* next_entry();
  void drain_spill();
  void enter(unsigned wait_for, std::uint64_t timeout_ns);
  void dispatch();

  Backend& backend_;
  TimerWheel timers_;
  std::vector<io_uring_sqe> spill_;
  unsigned tail_ = 0;  // ours; published to the kernel by enter()
  unsigned in_flight_ = 0;
  std::uint64_t now_ns_ = 0;
  RingCounters counters_;
};

}  // namespace ringwall::ring
