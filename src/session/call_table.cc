#include <ringwall/check.h>
#include <ringwall/rpc/methods.h>
#include <ringwall/rpc/unsubscribe.h>
#include <ringwall/session/call_table.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

namespace ringwall::session {
namespace {

constexpr rpc::MethodIndex unknown_method = rpc::no_method - 1;

// A subscribe with several names, and its unsubscribe with several, have one that all unsubscribes name as their pair.
// Those that are known by their names alone have one together.
rpc::MethodIndex subscribe_of(const rpc::Decision& decision) {
  const auto methods = rpc::known_methods();
  if (decision.pair >= methods.size()) return unknown_method;
  return decision.kind == rpc::Kind::unsubscribe ? decision.pair : methods[decision.pair].pair;
}

}  // namespace

// In ------------------------------------------------------------------------------------------------------------------

void CallTable::add(const rpc::Call& call, const rpc::Decision& decision, std::size_t message_bytes,
                    std::uint64_t now_ns) {
  RINGWALL_CHECK(call.form != rpc::Call::Form::invalid);
  if (call.form == rpc::Call::Form::notification) return;
  ++calls_;
  if (decision.kind == rpc::Kind::subscribe) ++subscriptions_;
  // The node writes an id with escapes in its own way, under which another call may be in flight.
  if (message_bytes > message_bytes_tracked_max || call.id.contains('\\') ||
      !track(make_entry(call, decision, now_ns))) {
    ++untracked_;
  }
}

CallTable::Entry CallTable::make_entry(const rpc::Call& call, const rpc::Decision& decision,
                                       std::uint64_t now_ns) const {
  Entry entry = {.id = hash(call.id), .subscription_or_since = ticks(now_ns), .cost = decision.cost, .calls = 1};
  if (call.id == rpc::null_id) {
    // The node also answers with id null what it does not read.
    entry.kind = Kind::unclear;
  } else if (decision.kind == rpc::Kind::subscribe) {
    entry.kind = Kind::subscribe;
    entry.method = subscribe_of(decision);
  } else if (decision.kind == rpc::Kind::unsubscribe) {
    if (const std::string_view subscription = rpc::subscription_in(call.params); !subscription.empty()) {
      entry.kind = Kind::unsubscribe;
      entry.method = subscribe_of(decision);
      entry.subscription_or_since = subscription_hash(subscription);
    }
  }
  return entry;
}

void CallTable::add_batch(std::uint32_t calls, std::uint32_t subscribes) {
  RINGWALL_CHECK(subscribes <= calls);
  if (calls == 0) return;
  calls_ += calls;
  subscriptions_ += subscribes;
  if (batches_.size() == batches_max) return;
  batches_.push_back(calls);
  std::ranges::push_heap(batches_, std::greater());
}

// Out -----------------------------------------------------------------------------------------------------------------

CallTable::Ended CallTable::answer(const rpc::Answer& answer, std::uint64_t now_ns) {
  Ended ended;
  switch (answer.kind) {
    case rpc::Answer::Kind::unknown:
      break;
    case rpc::Answer::Kind::result:
    case rpc::Answer::Kind::error:
      ended = end_call(answer, now_ns);
      break;
    case rpc::Answer::Kind::notification:
      if (!live_.empty() && !answer.subscription.empty() && rpc::ends_subscription(answer)) {
        ended.subscriptions = end_live(subscription_hash(answer.subscription), rpc::no_method);
      }
      break;
    case rpc::Answer::Kind::batch:
      ended = end_batch();
      break;
  }
  RINGWALL_CHECK(ended.calls <= calls_ && ended.subscriptions <= subscriptions_);
  calls_ -= ended.calls;
  subscriptions_ -= ended.subscriptions;
  return ended;
}

CallTable::Ended CallTable::end_call(const rpc::Answer& answer, std::uint64_t now_ns) {
  Entry* const entry = find(hash(answer.id));
  if (entry == nullptr) return end_unknown_call(answer);
  const Entry call = *entry;
  if (--entry->calls == 0) remove(*entry);
  Ended ended{.calls = 1, .subscriptions = untracked_ == 0 && !is_misled_ ? subscriptions_ended_by(answer, call) : 0};
  if (call.kind == Kind::call || call.kind == Kind::subscribe) {
    ended.is_timed = true;
    ended.cost = call.cost;
    ended.latency_ns = std::uint64_t{ticks(now_ns) - call.subscription_or_since} * tick_ns;
  }
  return ended;
}

CallTable::Ended CallTable::end_unknown_call(const rpc::Answer& answer) {
  if (answer.id == rpc::null_id) {
    // A batch that the node does not take, or whose answer is too large, is answered so. An untracked call may be, too:
    // that is the least that has ended.
    if (answer.kind != rpc::Answer::Kind::error) return {};
    if (untracked_ == 0) return end_batch();
    is_misled_ = true;  // if it was a batch, an untracked call is in flight still
  }
  if (untracked_ == 0) return {};
  --untracked_;
  return {.calls = 1, .subscriptions = 0};
}

// The node may have answered another batch. Were a larger one taken for it, a small batch would hide a large one that
// is still in flight; so the sum is never less than that of those that are.
CallTable::Ended CallTable::end_batch() {
  if (batches_.empty()) return {};
  std::ranges::pop_heap(batches_, std::greater());
  const std::uint32_t calls = batches_.back();
  batches_.pop_back();
  if (batches_.empty()) batches_ = std::vector<std::uint32_t>();
  return {.calls = calls, .subscriptions = 0};
}

std::uint32_t CallTable::subscriptions_ended_by(const rpc::Answer& answer, const Entry& call) {
  const bool is_error = answer.kind == rpc::Answer::Kind::error;
  switch (call.kind) {
    case Kind::call:
    case Kind::unclear:
      return 0;
    case Kind::subscribe:
      if (is_error) return 1;
      if (rpc::is_subscription_id(answer.value) && live_.size() < subscriptions_max) {
        live_.push_back({subscription_hash(answer.value), call.method});
      }
      return 0;
    case Kind::unsubscribe:
      return !is_error && answer.value == "true" ? end_live(call.subscription_or_since, call.method) : 0;
  }
  return 0;
}

// Of any method: no_method.
std::uint32_t CallTable::end_live(std::uint32_t subscription, rpc::MethodIndex method) {
  const auto found = std::ranges::find_if(live_, [&](const Live& live) {
    return live.subscription == subscription && (method == rpc::no_method || live.method == method);
  });
  if (found == live_.end()) return 0;
  *found = live_.back();
  live_.pop_back();
  if (live_.size() <= live_.capacity() / 4) live_.shrink_to_fit();
  return 1;
}

// The slots -----------------------------------------------------------------------------------------------------------

// False: there is no room.
bool CallTable::track(const Entry& call) {
  if (Entry* const same = find(call.id); same != nullptr) {
    if (same->calls == std::numeric_limits<std::uint8_t>::max()) return false;
    same->kind = Kind::unclear;
    ++same->calls;
    return true;
  }
  if (ids_ == ids_max) return false;
  make_room();
  place(call);
  ++ids_;
  burst_ids_ = std::max(burst_ids_, static_cast<std::uint16_t>(ids_));
  return true;
}

// For one more. A client that sends bursts sends the next like the last: it gets the room of that at once.
void CallTable::make_room() {
  const std::size_t wanted = slots_.empty() ? std::max<std::size_t>(burst_ids_, 1) : ids_ + std::size_t{1};
  if (ids_ == 0) burst_ids_ = 0;
  std::size_t slots = std::max(slots_min, slots_.size());
  while (4 * wanted > 3 * slots) slots *= 2;
  if (slots != slots_.size()) resize(slots);
}

CallTable::Entry* CallTable::find(std::uint64_t id) {
  if (ids_ == 0) return nullptr;
  for (std::size_t slot = id;; ++slot) {
    Entry& entry = slots_[slot & (slots_.size() - 1)];
    if (entry.calls == 0) return nullptr;
    if (entry.id == id) return &entry;
  }
}

void CallTable::place(const Entry& entry) {
  std::size_t slot = entry.id;
  while (slots_[slot & (slots_.size() - 1)].calls != 0) ++slot;
  slots_[slot & (slots_.size() - 1)] = entry;
}

// Those behind it in its run move up, unless that put them before the slot that they are looked for from.
void CallTable::remove(Entry& entry) {
  const std::size_t mask = slots_.size() - 1;
  auto hole = static_cast<std::size_t>(&entry - slots_.data());
  for (std::size_t slot = (hole + 1) & mask; slots_[slot].calls != 0; slot = (slot + 1) & mask) {
    if (((slot - slots_[slot].id) & mask) < ((slot - hole) & mask)) continue;
    slots_[hole] = slots_[slot];
    hole = slot;
  }
  slots_[hole].calls = 0;
  --ids_;
  if (ids_ == 0 && slots_.size() > slots_min) {
    slots_ = std::vector<Entry>();
  } else if (slots_.size() > slots_kept_max && 8 * std::size_t{ids_} <= slots_.size()) {
    resize(slots_.size() / 2);
  }
}

void CallTable::resize(std::size_t slots) {
  for (const Entry& entry : std::exchange(slots_, std::vector<Entry>(slots))) {
    if (entry.calls != 0) place(entry);
  }
}

std::size_t CallTable::bytes_held() const {
  return slots_.capacity() * sizeof(Entry) + live_.capacity() * sizeof(Live) +
         batches_.capacity() * sizeof(std::uint32_t);
}

}  // namespace ringwall::session
