#include "load/lane.h"

#include <algorithm>
#include <cstring>

namespace ringwall::load {

namespace {

// Taken at once from the bound that all workers share: as many as makes no thread wait for what another holds.
constexpr std::uint64_t lease_calls_max = 64;
constexpr std::uint64_t lease_divisor = 8;

}  // namespace

websocket::MaskKey Random::mask_key() {
  websocket::MaskKey key;
  const std::uint64_t bits = next() >> 32;
  std::memcpy(key.data(), &bits, key.size());
  return key;
}

bool Lane::take_call() {
  if (stretch == Stretch::warmup) return true;
  return stretch == Stretch::measured && take_counted_call();
}

bool Lane::are_calls_spent() const {
  return plan.calls_max > 0 && calls_leased == 0 && course.calls_left.load(std::memory_order_relaxed) == 0;
}

bool Lane::take_counted_call() {
  if (plan.calls_max == 0) return true;
  std::uint64_t left = calls_leased > 0 ? 0 : course.calls_left.load(std::memory_order_relaxed);
  while (left > 0) {
    const std::uint64_t wanted = std::clamp<std::uint64_t>(left / (plan.threads * lease_divisor), 1, lease_calls_max);
    if (!course.calls_left.compare_exchange_weak(left, left - wanted, std::memory_order_relaxed)) continue;
    calls_leased = wanted;
    break;
  }
  if (calls_leased == 0) return false;
  --calls_leased;
  return true;
}

void Lane::finish_call() {
  ++calls_finished;
  last_finished_ns = now_ns();
}

bool Lane::good(std::uint64_t latency_ns, Histogram& of_its_kind) {
  of_its_kind.record(latency_ns);
  tick.latency.record(latency_ns);
  ++clients.tally.flow.answers;
  if (now_ns() > course.end_ns.load(std::memory_order_relaxed)) return false;
  ++clients.tally.flow.answers_in_time;
  ++tick.answers;
  return true;
}

void Lane::trouble(Group& group, Trouble trouble, std::string_view text_of_it) {
  group.tally.troubles.note(trouble, text_of_it);
  if (&group == &clients) ++tick.errors;
}

}  // namespace ringwall::load
