#include "load/call_queue.h"

#include <ringwall/check.h>

#include <algorithm>

#include "load/call_client.h"

namespace ringwall::load {

CallQueue::CallQueue(Lane& lane, unsigned worker) : lane_(lane), worker_(worker) {
  const Plan& plan = lane.plan;
  const Rate steady{plan.rate->from, plan.rate->from};
  warmup_.emplace(steady, plan.warmup_ns, worker, plan.threads);
  measured_.emplace(*plan.rate, plan.duration_ns, worker, plan.threads);
}

void CallQueue::add(CallClient& client) {
  RINGWALL_CHECK(!client.is_queued);
  client.is_queued = true;
  with_room_.push_back(&client);
}

void CallQueue::send_due(std::uint64_t now_ns) {
  const std::uint64_t warmup_ns = lane_.course.warmup_ns.load(std::memory_order_relaxed);
  const std::uint64_t measure_ns = lane_.course.measure_ns.load(std::memory_order_relaxed);
  const std::uint64_t end_ns = lane_.course.end_ns.load(std::memory_order_relaxed);
  if (lane_.stretch == Stretch::warmup) return send(*warmup_, warmup_ns, now_ns, now_ns);
  if (lane_.stretch == Stretch::measured) return send(*measured_, measure_ns, now_ns, now_ns);
  if (is_behind()) send(*measured_, measure_ns, std::min(now_ns, end_ns), now_ns);
}

bool CallQueue::is_behind() const {
  if (lane_.stretch != Stretch::after || lane_.course.at_once.load(std::memory_order_relaxed)) return false;
  const std::uint64_t measure_ns = lane_.course.measure_ns.load(std::memory_order_relaxed);
  const std::uint64_t due_ns = measured_->next_due_ns();
  if (measure_ns == never_ns || due_ns == never_ns || lane_.are_calls_spent()) return false;
  return measure_ns + due_ns < lane_.course.end_ns.load(std::memory_order_relaxed);
}

void CallQueue::send(Schedule& schedule, std::uint64_t began_ns, std::uint64_t due_until_ns, std::uint64_t now_ns) {
  const std::uint64_t timeout_ns = lane_.plan.timeout_ns;
  const bool is_counted = &schedule == &*measured_;
  while (schedule.next_due_ns() != never_ns && began_ns + schedule.next_due_ns() <= due_until_ns) {
    const std::uint64_t due_ns = began_ns + schedule.next_due_ns();
    if (due_ns + timeout_ns < now_ns) {
      if (is_counted && !lane_.take_counted_call()) return;
      schedule.advance();
      if (!is_counted) continue;
      lane_.finish_call();
      lane_.trouble(lane_.clients, Trouble::send_late, {});
      continue;
    }
    while (!with_room_.empty() && !with_room_.front()->has_room()) {
      with_room_.front()->is_queued = false;
      with_room_.pop_front();
    }
    if (with_room_.empty() || (is_counted && !lane_.take_counted_call())) return;
    CallClient& client = *with_room_.front();
    with_room_.pop_front();
    client.is_queued = false;
    schedule.advance();
    client.call(due_ns, now_ns, is_counted);
    if (client.has_room()) add(client);
  }
}

std::uint64_t CallQueue::next_due_ns() const {
  if (with_room_.empty()) return never_ns;
  const bool is_warmup = lane_.stretch == Stretch::warmup;
  if (!is_warmup && (lane_.stretch != Stretch::measured || lane_.are_calls_spent())) return never_ns;
  const Schedule& schedule = is_warmup ? *warmup_ : *measured_;
  if (schedule.next_due_ns() == never_ns) return never_ns;
  const auto& began_ns = is_warmup ? lane_.course.warmup_ns : lane_.course.measure_ns;
  return began_ns.load(std::memory_order_relaxed) + schedule.next_due_ns();
}

}  // namespace ringwall::load
