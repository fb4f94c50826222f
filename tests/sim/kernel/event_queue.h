// event_queue.h: virtual time. What happens is an event; between two events nothing does, and no time is spent.
//
// Events of the same instant run in the order in which they were made, so a run depends on the seed alone.
// The clock is that of Backend::now_ns: nanoseconds, monotonic.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace ringwall::sim {

inline constexpr std::uint64_t microsecond = 1'000;
inline constexpr std::uint64_t millisecond = 1'000'000;
inline constexpr std::uint64_t second = 1'000'000'000;

class EventQueue {
 public:
  using Action = std::function<void()>;

  explicit EventQueue(std::uint64_t start_ns) : now_ns_(start_ns) {}
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

  void after(std::uint64_t delay_ns, Action action);

  // The instant of the next event, `never` when there is none.
  static constexpr std::uint64_t never = UINT64_MAX;
  [[nodiscard]] std::uint64_t next_ns() const { return events_.empty() ? never : events_.front().at_ns; }

  // Moves the clock to the next event and runs it. There is one.
  void run_next();
  // Runs all that is due up to `until_ns` and leaves the clock there.
  void run_until(std::uint64_t until_ns);

  [[nodiscard]] std::uint64_t now_ns() const { return now_ns_; }

 private:
  struct Event {
    std::uint64_t at_ns;
    std::uint64_t number;
    Action action;
  };
  static bool is_later(const Event& left, const Event& right);

  std::vector<Event> events_;  // a heap, the earliest in front
  std::uint64_t now_ns_;
  std::uint64_t made_ = 0;
};

}  // namespace ringwall::sim
