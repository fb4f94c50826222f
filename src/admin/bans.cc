#include <ringwall/admin/bans.h>
#include <ringwall/config/address.h>
#include <ringwall/config/given.h>
#include <ringwall/config/units.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>

namespace ringwall::admin {

namespace {

// Of IPv4, in bits of an IPv4 address.
bool is_ipv4(const config::Cidr& range) {
  static constexpr std::array<std::uint8_t, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
  return range.prefix_bits >= 96 && std::ranges::equal(mapped, std::span(range.address).first(mapped.size()));
}

}  // namespace

Result<config::Cidr> parse_range(std::string_view text) {
  const std::optional<config::Cidr> range = config::parse_cidr(text);
  if (range) return *range;
  return fail("address: found " + config::quoted(text) +
              ", expected an address or a range such as 192.0.2.1, 198.51.100.0/24 or 2001:db8::/48");
}

Result<config::Cidr> parse_ban_range(std::string_view text) {
  Result<config::Cidr> range = parse_range(text);
  if (!range) return range;
  const unsigned bits = range->prefix_bits;
  if (is_ipv4(*range) ? bits < 96 + ban_bits_min_ipv4 : bits < ban_bits_min_ipv6) {
    return fail("address: found " + config::quoted(text) + ", expected no range wider than /8, or /16 of IPv6");
  }
  return range;
}

Result<std::uint64_t> parse_ban_time(std::string_view text) {
  if (text.empty()) return ban_default_s;
  const std::optional<std::uint64_t> seconds = config::parse_number(text, config::Unit::seconds);
  if (seconds && *seconds > 0 && *seconds <= ban_s_max) return *seconds;
  return fail("for: found " + config::quoted(text) + ", expected a time of up to 30 days such as 90s, 10m, 2h or 7d");
}

bool Bans::add(const config::Cidr& range, std::uint64_t until_s) {
  const auto at = std::ranges::find(rows_, range, &Row::range);
  if (at != rows_.end()) {
    at->until_s = until_s;
    return true;
  }
  if (rows_.size() == bans_max) return false;
  rows_.push_back({range, until_s, ++version_});
  return true;
}

bool Bans::remove(const config::Cidr& range) {
  if (std::erase_if(rows_, [&](const Row& row) { return row.range == range; }) == 0) return false;
  ++version_;
  return true;
}

bool Bans::expire(std::uint64_t now_s) {
  if (std::erase_if(rows_, [&](const Row& row) { return row.until_s <= now_s; }) == 0) return false;
  ++version_;
  return true;
}

std::uint64_t Bans::next_s() const {
  std::uint64_t next = UINT64_MAX;
  for (const Row& row : rows_) next = std::min(next, row.until_s);
  return next;
}

std::shared_ptr<const session::AddressSet> Bans::ranges(std::uint64_t after) const {
  std::vector<config::Cidr> ranges;
  for (const Row& row : rows_) {
    if (row.version > after) ranges.push_back(row.range);
  }
  return std::make_shared<const session::AddressSet>(ranges);
}

}  // namespace ringwall::admin
