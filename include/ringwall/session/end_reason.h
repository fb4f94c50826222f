// end_reason.h: why a session ended. Exactly one a session, counted; the counts are told at the end.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ringwall::session {

enum class EndReason : std::uint8_t {
  none,              // it goes on
  done,              // HTTP: answered, and the connection was not to be kept
  client_closed,     // the client said Close, or ended an idle HTTP connection
  client_gone,       // the client's TCP or TLS ended in the middle of things
  client_reset,      // the same, by a reset
  client_refused,    // what it sent was refused: bad HTTP, a bad frame, a message too long
  client_silent,     // it did not answer pings, or sent nothing when something was due
  client_slow,       // a head, body, message or handshake that took too long, or a reader that took no byte
  tls_failed,        // the handshake or a record failed
  node_closed,       // the node said Close
  node_gone,         // the node's TCP ended in the middle of things
  node_unreachable,  // no connection to it
  node_slow,         // no answer in time
  node_refused,      // it answered, but not as asked: no 101, 429
  node_garbage,      // it broke HTTP or WebSocket
  over_limit,        // a limit of its address or connection
  memory_bound,      // a budget of this shard is spent
  proxy_header,      // no valid PROXY header where one is required, or from a peer that is not trusted with it
  keys_spent,        // its TLS keys had to be changed, and can't be here
  banned,            // its address is, by the operator, for a time
  stopping,          // Ringwall is ending
};
inline constexpr std::size_t end_reasons = static_cast<std::size_t>(EndReason::stopping) + 1;

[[nodiscard]] std::string_view name(EndReason reason);
// Who acted: "client", "node" or "ringwall", which may have had its reason in what one of them did.
[[nodiscard]] std::string_view ended_by(EndReason reason);

using EndCounters = std::array<std::uint64_t, end_reasons>;

}  // namespace ringwall::session
