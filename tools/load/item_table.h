// item_table.h: when each notification reached the first of all subscribers, and which it has reached. Shared by all
// threads.
//
// An item is known by a hash of what is notified, the same for every subscriber, and by how often a subscriber has had
// that: the same content again is another item. Bounded: the oldest item is forgotten for the newest, whose late copies
// would count as first ones. Times are of the monotonic clock.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "load/course.h"
#include "load/result.h"

namespace ringwall::load {

class ItemTable {
 public:
  static constexpr std::size_t items_max = 16 * 1024;

  // `client` is Client::number().
  void subscribed(std::uint64_t client, std::uint64_t now_ns);
  void left(std::uint64_t client, std::uint64_t now_ns);

  // How long after the first one this copy came; nothing: it is the first. A thread may tell a copy that came a little
  // before the first that was told here: that is 0.
  [[nodiscard]] std::optional<std::uint64_t> behind_first_ns(std::uint64_t hash, std::uint64_t client,
                                                             std::uint64_t now_ns);

  // Of the items that were first heard from `from_ns` on, and `within_ns` or more before `until_ns`: so long a copy may
  // take. What one client alone has had may be meant for it alone, and asks for no copies.
  [[nodiscard]] FanOut fan_out(std::uint64_t from_ns, std::uint64_t until_ns, std::uint64_t within_ns) const;

 private:
  struct Item {
    std::uint64_t first_ns = 0;
    std::uint64_t copies = 0;
    std::vector<bool> had;  // by client; what is beyond its end has not
    [[nodiscard]] bool has(std::uint64_t client) const { return client < had.size() && had[client]; }
  };
  struct Subscriber {
    std::uint64_t since_ns = never_ns, until_ns = never_ns;
    std::uint64_t heard_ns = 0;         // last
    std::uint64_t newest_first_ns = 0;  // Item::first_ns of the newest that it has heard
  };

  Subscriber& subscriber(std::uint64_t client);

  mutable std::mutex mutex_;
  // Alike, in the order in which they came. A client has had the first ones of them, and none after those.
  std::unordered_map<std::uint64_t, std::deque<Item>> items_;
  std::deque<std::uint64_t> in_order_;
  std::vector<Subscriber> subscribers_;
};

}  // namespace ringwall::load
