#include "load/holding_client.h"

#include <ringwall/rpc/answer.h>

#include <fmt/format.h>

#include <functional>

#include "load/rpc_error.h"

namespace ringwall::load {

namespace {

constexpr std::string_view subscribe_id = "1";

}  // namespace

void IdleClient::on_message(const Message&) { lane_.trouble(group_, Trouble::answer_unasked, {}); }

void SubscribeClient::on_open() {
  subscription_.clear();
  lane_.text = fmt::format(R"({{"jsonrpc":"2.0","id":{},"method":"{}","params":{}}})", subscribe_id,
                           lane_.plan.subscribe_method, lane_.plan.subscribe_params);
  say(lane_.text);
  wake_at(lane_.now_ns() + lane_.plan.timeout_ns);
}

void SubscribeClient::on_message(const Message& message) {
  const rpc::Answer answer = rpc::classify_answer(message.head, message.tail);
  switch (answer.kind) {
    case rpc::Answer::Kind::notification:
      return on_notification(answer, message);
    case rpc::Answer::Kind::error:
      return lose(Trouble::rpc_error, rpc_error_text(message.head));
    case rpc::Answer::Kind::result:
      if (!subscription_.empty() || answer.id != subscribe_id) {
        return lane_.trouble(group_, Trouble::answer_unasked, {});
      }
      stop_waking();
      subscription_ = answer.value.empty() ? "?" : std::string(answer.value);
      lane_.items.subscribed(number(), lane_.now_ns());
      return;
    default:
      return lose(Trouble::protocol, "a message that is not JSON-RPC");
  }
}

void SubscribeClient::on_end() {
  if (!subscription_.empty()) lane_.items.left(number(), lane_.now_ns());
}

// The same item has the same bytes for everybody, but for the subscription's id. Of a long one its start and its length
// are looked at.
void SubscribeClient::on_notification(const rpc::Answer& notification, const Message& message) {
  if (rpc::ends_subscription(notification)) return lose(Trouble::subscription_ended, {});
  const std::uint64_t bytes = message.bytes - notification.subscription.size();
  const std::uint64_t hash = std::hash<std::string_view>()(notification.item) ^ (bytes * 0x9E37'79B9'7F4A'7C15);
  // Outside the measured time too: an item that was first heard before it is no item of it.
  const std::optional<std::uint64_t> behind_ns = lane_.items.behind_first_ns(hash, number(), lane_.now_ns());
  if (lane_.stretch != Stretch::measured) return;
  ++tally_.flow.notifications;
  ++lane_.tick.answers;
  if (!behind_ns) return;
  tally_.spread.record(*behind_ns);
  lane_.tick.latency.record(*behind_ns);
}

}  // namespace ringwall::load
