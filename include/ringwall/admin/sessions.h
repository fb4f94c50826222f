// sessions.h: who is connected, and who asks for most: gathered from all shards in small pieces, told as JSON.
//
// A shard looks at so many sessions a letter. What comes and goes meanwhile may be missing or be there twice. Owner:
// the Interface, on its thread. Source of the pieces' order: Service::end_banned().
#pragma once

#include <ringwall/admin/shards.h>
#include <ringwall/config/config.h>
#include <ringwall/session/account.h>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::admin {

inline constexpr std::size_t sessions_a_letter = 2048;  // some 0.2 ms
inline constexpr std::size_t rows_max = 1000;
inline constexpr std::size_t rows_default = 100;
inline constexpr std::size_t talkers_default = 20;

// Of the addresses in `range`; none: all.
[[nodiscard]] std::string sessions_json(Shards& shards, const std::optional<config::Cidr>& range, std::size_t rows);

enum class By : std::uint8_t { units, calls, bytes };
[[nodiscard]] std::optional<By> parse_by(std::string_view text);

// The addresses that ask for most, by what their open sessions have asked for since the last time this was told (no
// longer than `memory` ago), or in all.
class TopTalkers {
 public:
  static constexpr std::chrono::seconds memory{60};

  [[nodiscard]] std::string json(Shards& shards, By by, std::size_t rows);

 private:
  struct Talker {
    std::uint64_t sessions = 0;
    std::uint64_t calls = 0;
    std::uint64_t units = 0;
    std::uint64_t received_bytes = 0;
    std::uint64_t sent_bytes = 0;
  };
  using Talkers = std::map<session::AddressBytes, Talker>;

  [[nodiscard]] static Talkers gather(Shards& shards);
  [[nodiscard]] static Talker since(const Talker& before, const Talker& now);

  Talkers before_;
  std::chrono::steady_clock::time_point told_{};
};

}  // namespace ringwall::admin
