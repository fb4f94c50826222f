// item_table.h: when each notification reached the first of all clients. Shared by all threads.
//
// An item is known by a hash of what is notified, the same for every subscriber. Bounded: the oldest item is forgotten
// for the newest, whose late copies would count as first ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <unordered_map>

namespace ringwall::load {

class ItemTable {
 public:
  static constexpr std::size_t items_max = 16 * 1024;

  // How long after the first one this copy came; nothing: it is the first. A thread may tell a copy that came a little
  // before the first that was told here: that is 0.
  [[nodiscard]] std::optional<std::uint64_t> behind_first_ns(std::uint64_t hash, std::uint64_t now_ns);

 private:
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, std::uint64_t> first_ns_;
  std::deque<std::uint64_t> in_order_;
};

}  // namespace ringwall::load
