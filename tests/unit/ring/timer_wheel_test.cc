#include <ringwall/ring/timer_wheel.h>

#include "unit/catch.h"
#include "unit/ring/death.h"

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>

namespace ringwall::ring {
namespace {

constexpr std::uint64_t start_ns = 123'456'789'012;
constexpr std::uint64_t tick_ns = 1ULL << TimerWheel::tick_bits;
constexpr std::uint64_t revolution_ns = tick_ns * TimerWheel::slots;

struct Alarm {
  void on_timer() {
    ++rings;
    if (then) then();
  }
  TimerOf<Alarm, &Alarm::on_timer> timer{*this};
  int rings = 0;
  std::function<void()> then;
};

}  // namespace

TEST_CASE("a timer fires once, never early and at most a tick late, near, far and beyond a revolution") {
  for (const std::uint64_t delay_ns :
       {std::uint64_t{0}, std::uint64_t{1}, tick_ns - 1, tick_ns, tick_ns + 1, 100 * tick_ns, revolution_ns - tick_ns,
        revolution_ns - 1, revolution_ns, revolution_ns + 1, 3 * revolution_ns + 5, 20 * revolution_ns}) {
    TimerWheel wheel(start_ns);
    Alarm alarm;
    wheel.start(alarm.timer, start_ns + delay_ns);
    REQUIRE(alarm.timer.is_running());
    std::uint64_t now_ns = start_ns;
    while (alarm.rings == 0) {
      const std::uint64_t wait_ns = wheel.ns_until_next(now_ns);
      REQUIRE(wait_ns != TimerWheel::none);
      now_ns += wait_ns;
      wheel.advance(now_ns);
      REQUIRE(now_ns <= start_ns + delay_ns + tick_ns);
    }
    REQUIRE(now_ns >= start_ns + delay_ns);
    REQUIRE(!alarm.timer.is_running());
    wheel.advance(now_ns + 2 * revolution_ns);
    REQUIRE(alarm.rings == 1);
  }
}

TEST_CASE("the wait until the next timer wakes no more than once a revolution for a far one, and is none for none") {
  TimerWheel wheel(start_ns);
  REQUIRE(wheel.ns_until_next(start_ns) == TimerWheel::none);
  Alarm alarm;
  wheel.start(alarm.timer, start_ns + 10 * revolution_ns);
  std::uint64_t now_ns = start_ns;
  int wakes = 0;
  for (; alarm.rings == 0; ++wakes) {
    now_ns += wheel.ns_until_next(now_ns);
    wheel.advance(now_ns);
  }
  REQUIRE(wakes <= 11);
  REQUIRE(wheel.ns_until_next(now_ns) == TimerWheel::none);
}

TEST_CASE("a jump over many revolutions fires all that is due and nothing else") {
  TimerWheel wheel(start_ns);
  std::deque<Alarm> due(50);
  std::uint64_t delay_ns = 0;
  for (Alarm& alarm : due) wheel.start(alarm.timer, start_ns + (delay_ns += revolution_ns / 9));
  Alarm later;
  wheel.start(later.timer, start_ns + 1000 * revolution_ns);
  wheel.advance(start_ns + 500 * revolution_ns);
  for (const Alarm& alarm : due) REQUIRE(alarm.rings == 1);
  REQUIRE(later.rings == 0);
}

TEST_CASE("a stopped timer does not fire, and one that is started again fires at its new time only") {
  TimerWheel wheel(start_ns);
  Alarm stopped, moved;
  wheel.start(stopped.timer, start_ns + tick_ns);
  wheel.start(moved.timer, start_ns + tick_ns);
  stopped.timer.stop();
  stopped.timer.stop();
  wheel.start(moved.timer, start_ns + 10 * tick_ns);
  wheel.advance(start_ns + 5 * tick_ns);
  REQUIRE(stopped.rings == 0);
  REQUIRE(moved.rings == 0);
  wheel.advance(start_ns + 12 * tick_ns);
  REQUIRE(stopped.rings == 0);
  REQUIRE(moved.rings == 1);
}

TEST_CASE("a clock that stands still, or seems to go back, fires nothing") {
  TimerWheel wheel(start_ns);
  Alarm alarm;
  wheel.start(alarm.timer, start_ns);
  wheel.advance(start_ns);
  wheel.advance(start_ns - 10 * tick_ns);
  REQUIRE(alarm.rings == 0);
  wheel.advance(start_ns + tick_ns);
  REQUIRE(alarm.rings == 1);
}

TEST_CASE("a handler may start its own timer again, stop another that is due, and destroy its own") {
  TimerWheel wheel(start_ns);
  Alarm again, first, second;
  auto gone = std::make_unique<Alarm>();
  again.then = [&] { wheel.start(again.timer, 0); };
  first.then = [&] { second.timer.stop(); };
  second.then = [&] { first.timer.stop(); };
  gone->then = [&] {
    auto last = std::move(gone->then);  // what is running outlives what it destroys
    gone.reset();
  };
  wheel.start(again.timer, start_ns + tick_ns);
  wheel.start(first.timer, start_ns + tick_ns);
  wheel.start(second.timer, start_ns + tick_ns);
  wheel.start(gone->timer, start_ns + tick_ns);
  wheel.advance(start_ns + 2 * tick_ns);
  REQUIRE(again.rings == 1);
  REQUIRE(first.rings + second.rings == 1);
  REQUIRE(!gone);
  wheel.advance(start_ns + 3 * tick_ns);
  REQUIRE(again.rings == 2);
  again.timer.stop();
  REQUIRE(wheel.ns_until_next(start_ns + 3 * tick_ns) != 0);
}

TEST_CASE("against a list of deadlines, over random starts, stops and steps, each timer fires when it must") {
  std::mt19937_64 random(1);
  TimerWheel wheel(start_ns);
  struct Model {
    Alarm alarm;
    std::optional<std::uint64_t> deadline_ns;
    int rings = 0;
  };
  std::deque<Model> timers(40);
  std::uint64_t now_ns = start_ns;
  for (int step = 0; step < 20'000; ++step) {
    Model& model = timers[random() % timers.size()];
    switch (random() % 4) {
      case 0:
      case 1:
        model.deadline_ns = now_ns + random() % (random() % 2 == 0 ? 20 * tick_ns : 3 * revolution_ns);
        wheel.start(model.alarm.timer, *model.deadline_ns);
        break;
      case 2:
        model.deadline_ns.reset();
        model.alarm.timer.stop();
        break;
      default:
        now_ns += random() % (random() % 8 == 0 ? 2 * revolution_ns : 3 * tick_ns);
        wheel.advance(now_ns);
    }
    std::uint64_t next_ns = TimerWheel::none;
    for (Model& each : timers) {
      if (each.alarm.rings > each.rings) {
        REQUIRE(each.deadline_ns.has_value());
        REQUIRE(*each.deadline_ns <= now_ns);
        each.rings = each.alarm.rings;
        each.deadline_ns.reset();
      }
      REQUIRE(each.alarm.timer.is_running() == each.deadline_ns.has_value());
      if (!each.deadline_ns) continue;
      REQUIRE(*each.deadline_ns + tick_ns > now_ns);
      next_ns = std::min(next_ns, *each.deadline_ns);
    }
    const std::uint64_t wait_ns = wheel.ns_until_next(now_ns);
    if (next_ns != TimerWheel::none) REQUIRE(now_ns + wait_ns <= std::max(next_ns, now_ns) + 2 * tick_ns);
  }
}

TEST_CASE("a wheel that goes while a timer runs aborts") {
  REQUIRE(aborts([] {
    Alarm alarm;
    TimerWheel wheel(start_ns);
    wheel.start(alarm.timer, start_ns);
  }));
}

}  // namespace ringwall::ring
