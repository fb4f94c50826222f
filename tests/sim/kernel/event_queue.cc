#include "sim/kernel/event_queue.h"

#include <ringwall/check.h>

#include <algorithm>
#include <tuple>
#include <utility>

namespace ringwall::sim {

bool EventQueue::is_later(const Event& left, const Event& right) {
  return std::tie(left.at_ns, left.number) > std::tie(right.at_ns, right.number);
}

void EventQueue::after(std::uint64_t delay_ns, Action action) {
  events_.push_back({now_ns_ + delay_ns, made_++, std::move(action)});
  std::push_heap(events_.begin(), events_.end(), is_later);
}

void EventQueue::run_next() {
  RINGWALL_CHECK(!events_.empty());
  std::pop_heap(events_.begin(), events_.end(), is_later);
  const Event event = std::move(events_.back());
  events_.pop_back();
  RINGWALL_CHECK(event.at_ns >= now_ns_);
  now_ns_ = event.at_ns;
  event.action();
}

void EventQueue::run_until(std::uint64_t until_ns) {
  while (next_ns() <= until_ns) run_next();
  RINGWALL_CHECK(until_ns >= now_ns_);
  now_ns_ = until_ns;
}

}  // namespace ringwall::sim
