#include <ringwall/session/address_set.h>

#include <algorithm>

namespace ringwall::session {

namespace {

AddressBytes last_of(const config::Cidr& range) {
  AddressBytes last = range.address;
  for (unsigned bit = range.prefix_bits; bit < 128; ++bit) last[bit / 8] |= static_cast<std::uint8_t>(0x80U >> bit % 8);
  return last;
}

}  // namespace

AddressSet::AddressSet(std::span<const config::Cidr> ranges) {
  std::vector<Interval> sorted;
  sorted.reserve(ranges.size());
  for (const config::Cidr& range : ranges) sorted.push_back({range.address, last_of(range)});
  std::ranges::sort(sorted, {}, &Interval::first);
  for (const Interval& next : sorted) {
    if (!intervals_.empty() && next.first <= intervals_.back().last) {
      intervals_.back().last = std::max(intervals_.back().last, next.last);
    } else {
      intervals_.push_back(next);
    }
  }
}

bool AddressSet::contains(const AddressBytes& address) const {
  const auto after = std::ranges::upper_bound(intervals_, address, {}, &Interval::first);
  return after != intervals_.begin() && address <= std::prev(after)->last;
}

}  // namespace ringwall::session
