#include "load/call_client.h"

#include <ringwall/check.h>
#include <ringwall/rpc/answer.h>

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "load/call_queue.h"
#include "load/mix.h"
#include "load/rpc_error.h"

namespace ringwall::load {

namespace {

// Subscriptions of one client that wait for their notification; the oldest is ended for another.
constexpr std::uint32_t subscriptions_max = 16;

std::optional<std::uint64_t> read_id(std::string_view text) {
  std::uint64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return id;
}

// What ends subscriptions, in flight beside the calls: as many as may have begun them. An endpoint that leaves these
// unanswered must not take the calls' places.
std::uint32_t unsubscribes_max(const Plan& plan, std::uint32_t depth) {
  return plan.mix->subscribes() ? depth + subscriptions_max : 0;
}

}  // namespace

CallClient::CallClient(Lane& lane, std::uint64_t number, CallQueue* queue)
    : Client(lane, lane.clients, number),
      depth_(lane.plan.target.post ? 1 : lane.plan.depth),
      unsubscribes_max_(unsubscribes_max(lane.plan, depth_)),
      queue_(queue),
      in_flight_(depth_ + unsubscribes_max_) {}

void CallClient::on_open() {
  in_flight_.start_again();
  ask_for_calls();
}

void CallClient::ask_for_calls() {
  if (!has_room()) return;
  if (queue_ != nullptr) {
    if (!is_queued) queue_->add(*this);
  } else if (!std::exchange(is_hungry, true)) {
    lane_.hungry.push_back(this);
  }
}

void CallClient::feed(std::uint64_t now_ns) {
  while (has_room() && lane_.take_call()) call(now_ns, now_ns, lane_.stretch == Stretch::measured);
}

void CallClient::call(std::uint64_t intended_ns, std::uint64_t now_ns, bool is_counted) {
  const auto index = static_cast<std::uint32_t>(lane_.plan.mix->pick(lane_.random.uniform()));
  ++calls_;
  send_call(index, {.intended_ns = intended_ns, .sent_ns = now_ns, .index = index, .is_counted = is_counted});
}

void CallClient::send_call(std::uint32_t index, const CallInFlight& call) {
  if (call.is_counted) {
    ++lane_.calls_in_flight;
    ++tally_.flow.calls_sent;
    ++tally_.calls[index].sent;
  }
  lane_.text.clear();
  lane_.plan.mix->write(index, in_flight_.add(call), lane_.text);
  say(lane_.text);
  if (!is_waking()) wake_at(call.sent_ns + lane_.plan.timeout_ns);
}

// Answers -----------------------------------------------------------------------------------------------------------

void CallClient::on_message(const Message& message) {
  const rpc::Answer answer = rpc::classify_answer(message.head, message.tail);
  switch (answer.kind) {
    case rpc::Answer::Kind::result:
    case rpc::Answer::Kind::error:
      return on_answer(answer, message);
    case rpc::Answer::Kind::notification:
      return on_notification(answer);
    case rpc::Answer::Kind::batch:
      return lose(Trouble::protocol, "a batch, and none was sent");
    case rpc::Answer::Kind::unknown:
      return lose(Trouble::protocol, "a message that is not JSON-RPC");
  }
}

void CallClient::on_answer(const rpc::Answer& answer, const Message& message) {
  const std::optional<std::uint64_t> id = read_id(answer.id);
  const InFlight::Taken taken = id ? in_flight_.take(*id) : InFlight::Taken{};
  if (taken.match == InFlight::Match::late) return;
  if (taken.match == InFlight::Match::unknown) {
    const bool is_error = answer.kind == rpc::Answer::Kind::error;
    return lane_.trouble(group_, Trouble::answer_unasked, is_error ? rpc_error_text(message.head) : std::string());
  }
  if (taken.call.kind == CallInFlight::Kind::call) --calls_;
  check(taken.call, answer, message);
  if (is_open()) ask_for_calls();
}

void CallClient::check(const CallInFlight& call, const rpc::Answer& answer, const Message& message) {
  const MixCall& asked = lane_.plan.mix->calls()[call.index];
  if (answer.kind == rpc::Answer::Kind::error) {
    return fail_call(call, Trouble::rpc_error, rpc_error_text(message.head));
  }
  if (call.kind == CallInFlight::Kind::unsubscribe) return;
  if (asked.answer_bytes && *asked.answer_bytes != message.bytes) {
    return fail_call(call, Trouble::answer_length,
                     fmt::format("{} of {}: {} bytes", *asked.answer_bytes, asked.name, message.bytes));
  }
  if (call.is_counted) {
    CallTally& its = tally_.calls[call.index];
    const std::uint64_t now_ns = lane_.now_ns();
    if (lane_.good(now_ns > call.intended_ns ? now_ns - call.intended_ns : 0, its.latency)) ++its.answers_in_time;
    over(call);
  }
  if (asked.subscribes && !answer.value.empty()) begin_subscription(answer.value, call.index);
}

void CallClient::fail_call(const CallInFlight& call, Trouble trouble, std::string_view text) {
  if (!call.is_counted) return;
  lane_.trouble(group_, trouble, text);
  if (call.kind != CallInFlight::Kind::call) return;
  ++tally_.calls[call.index].errors;
  over(call);
}

void CallClient::over(const CallInFlight& call) {
  if (!call.is_counted || call.kind != CallInFlight::Kind::call) return;
  --lane_.calls_in_flight;
  lane_.finish_call();
}

void CallClient::on_bad_status(std::string_view text) {
  const std::optional<CallInFlight> call = in_flight_.take_any();
  if (!call) return lose(Trouble::http_status, text);
  --calls_;
  fail_call(*call, Trouble::http_status, text);
  if (is_open()) ask_for_calls();
}

void CallClient::on_end() {
  while (const std::optional<CallInFlight> call = in_flight_.take_any()) {
    fail_call(*call, Trouble::answer_lost, {});
  }
  calls_ = 0;
  subscriptions_.clear();
}

void CallClient::forget_calls() {
  while (const std::optional<CallInFlight> call = in_flight_.take_any()) {
    if (!call->is_counted || call->kind != CallInFlight::Kind::call) continue;
    --lane_.calls_in_flight;
    --tally_.flow.calls_sent;
    ++tally_.flow.calls_unanswered;
    --tally_.calls[call->index].sent;
  }
  calls_ = 0;
}

// Over POST the answer that may still come would be taken for the next call's.
void CallClient::on_timer() {
  const std::uint64_t now_ns = lane_.now_ns();
  const std::uint64_t timeout_ns = lane_.plan.timeout_ns;
  bool gave_up = false;
  while (const std::optional<CallInFlight> call = in_flight_.give_up(now_ns - timeout_ns)) {
    if (call->kind == CallInFlight::Kind::call) --calls_;
    fail_call(*call, Trouble::answer_timeout, {});
    gave_up = true;
  }
  if (gave_up && lane_.plan.target.post) return abort();
  while (!subscriptions_.empty() && subscriptions_.front().since_ns + timeout_ns <= now_ns) {
    const Subscription silent = std::move(subscriptions_.front());
    subscriptions_.erase(subscriptions_.begin());
    lane_.trouble(group_, Trouble::answer_timeout,
                  "no notification of " + lane_.plan.mix->calls()[silent.index].method);
    unsubscribe(silent);
  }
  std::uint64_t oldest_ns = in_flight_.oldest_sent_ns();
  if (!subscriptions_.empty()) oldest_ns = std::min(oldest_ns, subscriptions_.front().since_ns);
  if (oldest_ns != UINT64_MAX) wake_at(oldest_ns + timeout_ns);
  ask_for_calls();
}

// Subscriptions -----------------------------------------------------------------------------------------------------

void CallClient::begin_subscription(std::string_view id, std::uint32_t index) {
  if (subscriptions_.size() == subscriptions_max) {
    const Subscription oldest = std::move(subscriptions_.front());
    subscriptions_.erase(subscriptions_.begin());
    unsubscribe(oldest);
  }
  subscriptions_.push_back({std::string(id), index, lane_.now_ns()});
  if (!is_waking()) wake_at(lane_.now_ns() + lane_.plan.timeout_ns);
}

void CallClient::on_notification(const rpc::Answer& notification) {
  if (lane_.stretch == Stretch::measured) ++tally_.flow.notifications;
  const auto its = std::ranges::find(subscriptions_, notification.subscription, &Subscription::id);
  if (its == subscriptions_.end()) return;
  const Subscription served = std::move(*its);
  subscriptions_.erase(its);
  unsubscribe(served);
}

void CallClient::unsubscribe(const Subscription& subscription) {
  const MixCall& asked = lane_.plan.mix->calls()[subscription.index];
  if (asked.unsubscribe_method.empty() || in_flight_.size() - calls_ >= unsubscribes_max_) return;
  const std::uint64_t id = in_flight_.add({.sent_ns = lane_.now_ns(),
                                           .index = subscription.index,
                                           .kind = CallInFlight::Kind::unsubscribe,
                                           .is_counted = lane_.stretch == Stretch::measured});
  lane_.text = fmt::format(R"({{"jsonrpc":"2.0","id":{},"method":"{}","params":[{}]}})", id, asked.unsubscribe_method,
                           subscription.id);
  say(lane_.text);
}

}  // namespace ringwall::load
