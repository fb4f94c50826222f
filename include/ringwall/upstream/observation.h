// observation.h: one look at a node: what it says of its chain, or that it says nothing.
//
// observe() blocks its thread, for no longer than it is told, and ends at once when `stop_event` is readable.
#pragma once

#include <ringwall/upstream/target.h>

#include <cstdint>
#include <optional>
#include <string>

namespace ringwall::upstream {

struct Observation {
  enum class Kind : std::uint8_t {
    failed,    // `why` says it
    at_limit,  // its 429: it has no place left, and is well
    open,      // it takes a connection, and more can't be known: it does not know the methods asked for
    chain,     // it answered; the rest is of this kind alone
  };
  Kind kind;
  std::string why{};
  std::optional<std::uint64_t> latency_ns{};  // from the first try to connect to its first answer, if there was one
  bool is_silent = false;                     // failed: nothing came from it, while who has gone is refused
  bool is_syncing = false;
  bool should_have_peers = false;
  std::uint32_t peers = 0;
  std::optional<std::uint32_t> best{};       // the number of its best block, if it tells one
  std::optional<std::uint32_t> finalized{};  //
};

// `speaks_rpc`: it is asked system_health, chain_getHeader and chain_getFinalizedHead; else only to take a connection.
[[nodiscard]] Observation observe(const Target& target, bool speaks_rpc, int stop_event, std::uint32_t timeout_ms);

}  // namespace ringwall::upstream
