#include <ringwall/upstream/ejection.h>

#include <algorithm>

namespace ringwall::upstream {

namespace {

constexpr std::uint64_t ns_per_ms = 1'000'000;

// SplitMix64's last step (Steele, Lea and Flood 2014): it spreads, and keeps no secret.
std::uint64_t mixed(std::uint64_t word) {
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9;
  word = (word ^ (word >> 27)) * 0x94d049bb133111eb;
  return word ^ (word >> 31);
}

}  // namespace

bool Ejection::failed(const EjectionTerms& terms, std::uint64_t now_ns) {
  if (terms.failures == 0) return false;
  if (failures_in_row_.fetch_add(1, std::memory_order_relaxed) + 1 < terms.failures) return false;
  std::uint64_t before_ns = until_ns();
  if (before_ns > now_ns) return false;
  // It follows soon when it comes before the node has been well for as long as it was out.
  const std::uint64_t last_ms = length_ms();
  const bool is_soon = last_ms != 0 && now_ns - before_ns < last_ms * ns_per_ms;
  const std::uint64_t most_ms = std::max(terms.first_ms, terms.most_ms);
  const std::uint64_t length_ms = is_soon ? std::min(2 * last_ms, most_ms) : terms.first_ms;
  const std::uint64_t random_ns = mixed(spread_ ^ now_ns) % std::max<std::uint64_t>(length_ms * ns_per_ms / 4, 1);
  if (!until_ns_.compare_exchange_strong(before_ns, now_ns + length_ms * ns_per_ms + random_ns)) return false;
  // An answer since it was counted has found nothing to end: then this is nothing. All in one order, that of
  // answered().
  if (failures_in_row_.load() == 0) {
    std::uint64_t until_ns = until_ns_.load();
    while (until_ns > now_ns && !until_ns_.compare_exchange_weak(until_ns, now_ns)) {
    }
    return false;
  }
  length_ms_.store(length_ms, std::memory_order_relaxed);
  return true;
}

bool Ejection::answered(const EjectionTerms& terms, std::uint64_t now_ns) {
  if (failures_in_row_.load(std::memory_order_relaxed) == 0) return false;
  const std::uint32_t failures = failures_in_row_.exchange(0);
  if (terms.failures == 0 || failures < terms.failures) return false;
  std::uint64_t before_ns = until_ns_.load();
  while (before_ns > now_ns && !until_ns_.compare_exchange_weak(before_ns, now_ns)) {
  }
  return true;
}

}  // namespace ringwall::upstream
