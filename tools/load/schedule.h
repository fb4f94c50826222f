// schedule.h: when each call of an open loop is due: by the plan alone, however long answers take.
//
// A rate that goes evenly from one value to another over a time, divided over several workers: worker i of n has the
// calls i, i + n, i + 2n, … Nothing is kept of calls that are due and not sent: they are those from `next` on whose
// time has come. Times are nanoseconds since the schedule's start. One thread.
#pragma once

#include <cstdint>

#include "load/plan.h"

namespace ringwall::load {

class Schedule {
 public:
  Schedule(const Rate& rate, std::uint64_t duration_ns, unsigned worker, unsigned workers);

  // Of all workers together: the whole calls that fit into the duration.
  [[nodiscard]] std::uint64_t calls() const { return calls_; }
  // When call `number` of all workers' calls is due: the moment at which that many have been asked for.
  [[nodiscard]] std::uint64_t due_ns(std::uint64_t number) const;
  [[nodiscard]] double rate_at(std::uint64_t at_ns) const;

  // This worker's next call; never_ns (course.h) when there is none.
  [[nodiscard]] std::uint64_t next_due_ns() const { return next_due_ns_; }
  void advance();

 private:
  void look_up();

  Rate rate_;
  std::uint64_t duration_ns_;
  std::uint64_t calls_;
  std::uint64_t next_;
  unsigned workers_;
  std::uint64_t next_due_ns_ = 0;
};

}  // namespace ringwall::load
