// call_queue.h: the open loop of one thread: hands calls out when they are due, to connections in turn.
//
// A call that is due while all connections are full waits; its latency counts from when it was due all the same. Who
// waits longer than the timeout is given up as Trouble::send_late. What waits costs no memory (schedule.h). The warm-up
// goes at the rate with which the measured time begins. Owner: a Worker, on its thread.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "load/lane.h"
#include "load/schedule.h"

namespace ringwall::load {

class CallQueue {
 public:
  CallQueue(Lane& lane, unsigned worker);

  void add(CallClient& client);  // has room, and is in no queue

  // What is due goes out as far as there is room. After the measured time that is what was due before its end: it would
  // be a lie to leave out just those who waited.
  void send_due(std::uint64_t now_ns);
  // Calls that were due before the end wait to be sent.
  [[nodiscard]] bool is_behind() const;
  // never_ns: nothing will be, the bound on calls is spent, or there is no room.
  [[nodiscard]] std::uint64_t next_due_ns() const;

 private:
  void send(Schedule& schedule, std::uint64_t began_ns, std::uint64_t due_until_ns, std::uint64_t now_ns);

  Lane& lane_;
  const unsigned worker_;
  std::optional<Schedule> warmup_, measured_;
  std::deque<CallClient*> with_room_;
};

}  // namespace ringwall::load
