#include <ringwall/quota/entry.h>

#include <ringwall/check.h>

namespace ringwall::quota {
namespace {

constexpr auto relaxed = std::memory_order_relaxed;

}  // namespace

bool Entry::add(std::atomic<std::uint32_t>& count, std::uint32_t more, std::uint32_t max) {
  std::uint32_t seen = count.load(relaxed);
  for (int tries = 0; tries < contended_tries_max; ++tries) {
    if (more > max || seen > max - more) return false;
    if (count.compare_exchange_weak(seen, seen + more, relaxed)) return true;
  }
  return false;
}

void Entry::drop(std::atomic<std::uint32_t>& count, std::uint32_t less) {
  const std::uint32_t before = count.fetch_sub(less, relaxed);
  RINGWALL_CHECK(before >= less);
}

void Entry::ban(std::uint64_t until_ns) {
  std::uint64_t seen = ban_until_ns_.load(relaxed);
  for (int tries = 0; tries < contended_tries_max && seen < until_ns; ++tries) {
    if (ban_until_ns_.compare_exchange_weak(seen, until_ns, relaxed)) return;
  }
}

bool Entry::has_nothing_left(const PeerTerms& terms, std::uint64_t now_ns) const {
  return connections() == 0 && subscriptions() == 0 && banned_for(now_ns) == 0 &&
         units_.is_settled(terms.units, now_ns) && new_connections_.is_settled(terms.new_connections, now_ns);
}

}  // namespace ringwall::quota
