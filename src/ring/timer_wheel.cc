#include <ringwall/ring/timer_wheel.h>

#include <algorithm>
#include <bit>

namespace ringwall::ring {

namespace {

void link_before(TimerLink& position, TimerLink& link) {
  link.previous = position.previous;
  link.next = &position;
  position.previous->next = &link;
  position.previous = &link;
}

void unlink(TimerLink& link) {
  link.previous->next = link.next;
  link.next->previous = link.previous;
  link.next = link.previous = nullptr;
}

}  // namespace

void Timer::stop() {
  if (is_running()) unlink(*this);
}

TimerWheel::TimerWheel(std::uint64_t now_ns) : tick_(now_ns >> tick_bits) {
  for (TimerLink& head : heads_) head.next = head.previous = &head;
}

TimerWheel::~TimerWheel() {
  for (TimerLink& head : heads_) RINGWALL_CHECK(head.next == &head);
}

void TimerWheel::start(Timer& timer, std::uint64_t deadline_ns) {
  timer.stop();
  const std::uint64_t rounded_up = (deadline_ns >> tick_bits) + ((deadline_ns & ((1ULL << tick_bits) - 1)) != 0);
  timer.deadline_tick_ = std::max(rounded_up, tick_ + 1);
  const std::size_t slot = timer.deadline_tick_ % slots;
  link_before(heads_[slot], timer);
  occupied_[slot / 64] |= 1ULL << (slot % 64);
}

void TimerWheel::run_slot(std::size_t slot, std::uint64_t now_tick) {
  TimerLink due{};
  due.next = due.previous = &due;
  TimerLink& head = heads_[slot];
  for (TimerLink* link = head.next; link != &head;) {
    auto& timer = static_cast<Timer&>(*link);
    link = link->next;
    if (timer.deadline_tick_ > now_tick) continue;
    timer.stop();
    link_before(due, timer);
  }
  if (head.next == &head) occupied_[slot / 64] &= ~(1ULL << (slot % 64));
  while (due.next != &due) {
    auto& timer = static_cast<Timer&>(*due.next);
    timer.stop();
    timer.handler_(timer);
  }
}

void TimerWheel::advance(std::uint64_t now_ns) {
  const std::uint64_t now_tick = now_ns >> tick_bits;
  if (now_tick <= tick_) return;
  const std::uint64_t first = tick_ + 1;
  const std::uint64_t count = std::min<std::uint64_t>(now_tick - tick_, slots);
  tick_ = now_tick;
  for (std::uint64_t tick = first; tick < first + count; ++tick) {
    const std::size_t slot = tick % slots;
    if ((occupied_[slot / 64] >> (slot % 64) & 1) != 0) run_slot(slot, now_tick);
  }
}

std::uint64_t TimerWheel::ns_until_next(std::uint64_t now_ns) const {
  const std::size_t first = (tick_ + 1) % slots;
  for (std::size_t step = 0; step <= occupied_.size(); ++step) {
    const std::size_t word = (first / 64 + step) % occupied_.size();
    std::uint64_t bits = occupied_[word];
    if (step == 0) bits &= ~0ULL << (first % 64);
    if (step == occupied_.size()) bits &= (1ULL << (first % 64)) - 1;
    if (bits == 0) continue;
    const std::size_t slot = word * 64 + static_cast<std::size_t>(std::countr_zero(bits));
    const std::uint64_t deadline_ns = (tick_ + 1 + (slot + slots - first) % slots) << tick_bits;
    return deadline_ns > now_ns ? deadline_ns - now_ns : 0;
  }
  return none;
}

}  // namespace ringwall::ring
