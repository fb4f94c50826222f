// bans.h: the addresses and ranges that an operator has shut out for a time.
//
// A value of the Interface's thread; the clock is the caller's, in s, and does not go back.
#pragma once

#include <ringwall/config/config.h>
#include <ringwall/error.h>
#include <ringwall/session/address_set.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::admin {

inline constexpr std::size_t bans_max = 1024;
inline constexpr std::uint64_t ban_default_s = 3'600;
inline constexpr std::uint64_t ban_s_max = 30 * 86'400;
// A wider range is more likely a mistake, which would shut out everybody.
inline constexpr unsigned ban_bits_min_ipv4 = 8;
inline constexpr unsigned ban_bits_min_ipv6 = 16;

// An address or a range. The error says what was found and what would be right.
[[nodiscard]] Result<config::Cidr> parse_range(std::string_view text);
[[nodiscard]] Result<config::Cidr> parse_ban_range(std::string_view text);
// "10m"; empty: ban_default_s.
[[nodiscard]] Result<std::uint64_t> parse_ban_time(std::string_view text);

class Bans {
 public:
  struct Row {
    config::Cidr range;
    std::uint64_t until_s;
    std::uint64_t version;  // since when it is there
  };

  // One that is there gets the new time. False: there are bans_max.
  [[nodiscard]] bool add(const config::Cidr& range, std::uint64_t until_s);
  // False: there was none of exactly this range.
  [[nodiscard]] bool remove(const config::Cidr& range);
  // True: some have come to their end and are gone.
  [[nodiscard]] bool expire(std::uint64_t now_s);
  // When expire() is due; UINT64_MAX: there is none.
  [[nodiscard]] std::uint64_t next_s() const;

  [[nodiscard]] const std::vector<Row>& rows() const { return rows_; }
  // Another one after each change of who is banned.
  [[nodiscard]] std::uint64_t version() const { return version_; }
  // As shards take them: those that have come after that version; 0: all.
  [[nodiscard]] std::shared_ptr<const session::AddressSet> ranges(std::uint64_t after = 0) const;

 private:
  std::uint64_t version_ = 0;
  std::vector<Row> rows_;
};

}  // namespace ringwall::admin
