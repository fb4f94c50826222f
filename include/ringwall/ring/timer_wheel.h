// timer_wheel.h: the deadlines of one shard.
//
// A hashed wheel: a timer sits in the slot of its tick, and one that is further away than a revolution is passed over
// until its turn comes. Starting and stopping cost a list splice. A timer is a member of its owner, fires at most once
// per start, no earlier than its deadline and at most one tick (16.8 ms) after it, from Ring::turn.
// Source: Varghese and Lauck, "Hashed and hierarchical timing wheels", scheme 6.
#pragma once

#include <ringwall/check.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace ringwall::ring {

// A place in a circular list; linked to itself, or to nothing, when it is in none.
struct TimerLink {
  TimerLink* next = nullptr;
  TimerLink* previous = nullptr;
};

class Timer : private TimerLink {
 public:
  using Handler = void (*)(Timer&);

  explicit Timer(Handler handler) : handler_(handler) {}
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { stop(); }

  void stop();
  [[nodiscard]] bool is_running() const { return next != nullptr; }

 private:
  friend class TimerWheel;

  Handler handler_;
  std::uint64_t deadline_tick_ = 0;
};

template <typename Owner, void (Owner::*Handle)()>
class TimerOf final : public Timer {
 public:
  explicit TimerOf(Owner& owner) : Timer(&call), owner_(owner) {}

 private:
  static void call(Timer& timer) { (static_cast<TimerOf&>(timer).owner_.*Handle)(); }

  Owner& owner_;
};

class TimerWheel {
 public:
  static constexpr unsigned tick_bits = 24;   // 2^24 ns = 16.8 ms
  static constexpr std::size_t slots = 1024;  // a revolution is 17 s

  explicit TimerWheel(std::uint64_t now_ns);
  TimerWheel(const TimerWheel&) = delete;
  TimerWheel& operator=(const TimerWheel&) = delete;
  ~TimerWheel();

  // Starts, or starts again, with a deadline on the clock of Backend::now_ns.
  void start(Timer& timer, std::uint64_t deadline_ns);

  // Runs the handlers of all that is due. A handler may start and stop any timer and destroy its own.
  void advance(std::uint64_t now_ns);

  // How long until a timer may be due, `none` when there is none. Never late; may be early.
  static constexpr std::uint64_t none = UINT64_MAX;
  [[nodiscard]] std::uint64_t ns_until_next(std::uint64_t now_ns) const;

 private:
  void run_slot(std::size_t slot, std::uint64_t now_tick);

  std::array<TimerLink, slots> heads_;
  std::array<std::uint64_t, slots / 64> occupied_{};  // a bit a slot: clear only if the slot is empty
  std::uint64_t tick_;                                // everything due up to it has been run
};

}  // namespace ringwall::ring
