#include "devnode/subscriptions.h"

#include <ringwall/check.h>

#include <algorithm>
#include <utility>

#include "devnode/change_set.h"
#include "devnode/notification.h"

namespace ringwall::devnode {

namespace {

std::string_view notification_name(Topic topic) {
  switch (topic) {
    case Topic::new_heads:
      return "chain_newHead";
    case Topic::all_heads:
      return "chain_allHead";
    case Topic::finalized_heads:
      return "chain_finalizedHead";
    case Topic::runtime_version:
      return "state_runtimeVersion";
    case Topic::storage:
      return "state_storage";
    case Topic::push:
      break;
  }
  return "dev_push";
}

}  // namespace

Subscriptions::Id Subscriptions::add(Topic topic) { return add({.id = random_subscription_id(), .topic = topic}); }

Subscriptions::Id Subscriptions::add_storage(std::vector<std::string> keys) {
  return add({.id = random_subscription_id(), .topic = Topic::storage, .keys = std::move(keys)});
}

Subscriptions::Id Subscriptions::add_push(const Pace& pace) {
  const std::string id = random_subscription_id();
  return add({.id = id, .topic = Topic::push, .push = std::make_unique<Push>(node_, sink_, id, pace)});
}

Subscriptions::Id Subscriptions::add(Subscription subscription) {
  const std::size_t most = node_.options.subscriptions_max;
  if (all_.size() >= most) return std::unexpected(too_many_subscriptions(most));
  return all_.emplace_back(std::move(subscription)).id;
}

bool Subscriptions::remove(Topic topic, std::string_view id) {
  const auto found = std::ranges::find_if(
      all_, [&](const Subscription& subscription) { return subscription.topic == topic && subscription.id == id; });
  if (found == all_.end()) return false;
  if (static_cast<std::size_t>(found - all_.begin()) < announced_) --announced_;
  all_.erase(found);
  return true;
}

void Subscriptions::announce_new() {
  while (announced_ < all_.size()) announce(all_[announced_++]);
}

void Subscriptions::announce(const Subscription& subscription) {
  const Chain& chain = node_.chain;
  switch (subscription.topic) {
    case Topic::new_heads:
    case Topic::all_heads:
      return notify(subscription, chain.header(chain.best())->to_json());
    case Topic::finalized_heads:
      return notify(subscription, chain.header(chain.finalized())->to_json());
    case Topic::runtime_version:
      return notify(subscription, node_.runtime.version_json());
    case Topic::storage:
      return notify_storage(subscription, true);
    case Topic::push:
      return subscription.push->start();
  }
}

void Subscriptions::on_block(const BlockNews& news) {
  RINGWALL_CHECK(announced_ == all_.size());
  for (const Subscription& subscription : all_) {
    const bool is_best = subscription.topic == Topic::new_heads || subscription.topic == Topic::all_heads;
    const bool is_finalized = subscription.topic == Topic::finalized_heads && !news.finalized_header.empty();
    if (!is_best && !is_finalized && subscription.topic != Topic::storage) continue;
    if (!sink_.has_room()) return;
    if (is_best) notify(subscription, news.best_header);
    if (is_finalized) notify(subscription, news.finalized_header);
    if (subscription.topic == Topic::storage) notify_storage(subscription, false);
  }
}

void Subscriptions::on_room() {
  for (const Subscription& subscription : all_) {
    if (subscription.push) subscription.push->on_room();
  }
}

void Subscriptions::notify_storage(const Subscription& subscription, bool with_nulls) {
  Reply message;
  begin_notification(message, notification_name(subscription.topic), subscription.id);
  if (!append_change_set(message, node_, node_.chain.best(), subscription.keys, with_nulls)) return;
  end_notification(message);
  sink_.send(std::move(message));
}

void Subscriptions::notify(const Subscription& subscription, std::string_view result) {
  Reply message;
  begin_notification(message, notification_name(subscription.topic), subscription.id);
  message.append(result);
  end_notification(message);
  sink_.send(std::move(message));
}

}  // namespace ringwall::devnode
