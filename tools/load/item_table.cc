#include "load/item_table.h"

#include <algorithm>

namespace ringwall::load {

ItemTable::Subscriber& ItemTable::subscriber(std::uint64_t client) {
  if (client >= subscribers_.size()) subscribers_.resize(client + 1);
  return subscribers_[client];
}

void ItemTable::subscribed(std::uint64_t client, std::uint64_t now_ns) {
  const std::lock_guard lock(mutex_);
  subscriber(client).since_ns = now_ns;
}

void ItemTable::left(std::uint64_t client, std::uint64_t now_ns) {
  const std::lock_guard lock(mutex_);
  subscriber(client).until_ns = now_ns;
}

std::optional<std::uint64_t> ItemTable::behind_first_ns(std::uint64_t hash, std::uint64_t client,
                                                        std::uint64_t now_ns) {
  const std::lock_guard lock(mutex_);
  Subscriber& its = subscriber(client);
  std::deque<Item>& alike = items_[hash];
  auto item = std::ranges::partition_point(alike, [&](const Item& one) { return one.has(client); });
  const bool is_first = item == alike.end();
  if (is_first) item = alike.insert(item, Item{.first_ns = now_ns});
  if (client >= item->had.size()) item->had.resize(subscribers_.size());
  item->had[client] = true;
  ++item->copies;
  its.heard_ns = now_ns;
  its.newest_first_ns = std::max(its.newest_first_ns, item->first_ns);
  if (!is_first) return now_ns > item->first_ns ? now_ns - item->first_ns : 0;
  in_order_.push_back(hash);
  if (in_order_.size() > items_max) {
    const auto oldest = items_.find(in_order_.front());
    oldest->second.pop_front();
    if (oldest->second.empty()) items_.erase(oldest);
    in_order_.pop_front();
  }
  return std::nullopt;
}

FanOut ItemTable::fan_out(std::uint64_t from_ns, std::uint64_t until_ns, std::uint64_t within_ns) const {
  const std::lock_guard lock(mutex_);
  FanOut found;
  std::vector<bool> has_missed(subscribers_.size());
  // Who hears what others have heard long ago is not notified of the same at the same time: some endpoints count for
  // each subscriber from its beginning.
  const auto is_in_step = [&](const Subscriber& one) {
    return one.heard_ns < from_ns || one.heard_ns <= one.newest_first_ns + within_ns;
  };
  for (const auto& [hash, alike] : items_) {
    for (const Item& item : alike) {
      if (item.copies < 2 || item.first_ns < from_ns || item.first_ns + within_ns > until_ns) continue;
      for (std::size_t client = 0; client < subscribers_.size(); ++client) {
        const Subscriber& one = subscribers_[client];
        const bool was_there = one.since_ns <= item.first_ns && one.until_ns >= item.first_ns + within_ns;
        if (item.has(client)) {
          ++found.copies;
          ++found.copies_wanted;
        } else if (was_there && is_in_step(one)) {
          ++found.copies_wanted;
          has_missed[client] = true;
        }
      }
    }
  }
  for (std::size_t client = 0; client < subscribers_.size(); ++client) {
    if (has_missed[client] && subscribers_[client].heard_ns < from_ns) ++found.silent;
  }
  return found;
}

}  // namespace ringwall::load
