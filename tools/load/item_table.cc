#include "load/item_table.h"

namespace ringwall::load {

std::optional<std::uint64_t> ItemTable::behind_first_ns(std::uint64_t hash, std::uint64_t now_ns) {
  const std::lock_guard lock(mutex_);
  const auto [first, is_new] = first_ns_.try_emplace(hash, now_ns);
  if (!is_new) return now_ns > first->second ? now_ns - first->second : 0;
  in_order_.push_back(hash);
  if (in_order_.size() > items_max) {
    first_ns_.erase(in_order_.front());
    in_order_.pop_front();
  }
  return std::nullopt;
}

}  // namespace ringwall::load
