// The rows of an upstream: where its nodes are, how they are watched, and who gets which.
#include <ringwall/config/schema.h>

#include "rows.h"

namespace ringwall::config {

template <>
std::span<const Field<Upstream>> fields() {
  using S = Upstream;
  static const std::array rows{
      text("name", &S::name, upstream_name, "What listeners and routes call it."),
      Field<S>{{.name = "address", .help = "The node's RPC port, by address or by name."}, &S::address},
      Field<S>{
          {.name = "addresses",
           .help = "Instead of address: several nodes of the same chain. Each client gets one of them, and another "
                   "where that one takes no connection or has none left. A name with several addresses is one "
                   "node.",
           .example = "[\"10.0.0.1:9944\", \"10.0.0.2:9944\"]"},
          &S::addresses},
      choice("balance", &S::balance,
             "Which of the healthy nodes a client gets. least_connections: the one with the fewest WebSockets and "
             "requests under way. hash: the same one for the same address."),
      number("resolve_interval_s", &S::resolve_interval_s, Unit::seconds, 1, 86'400,
             "How long the answer to a name's lookup is used."),
      number("connections_max", &S::connections_max, Unit::none, 0, 1'000'000,
             "WebSocket connections to each node over all shards. Less than its --rpc-max-connections keeps a share "
             "for POST.",
             "none"),
      // With as many again for a second, 32 serve 50 clients who post side by side without a new connection (with 16,
      // a third of their calls took one), and take 64 at most of the 100 places that a node has by default.
      number("pool_idle_max", &S::pool_idle_max, Unit::none, 0, 4'096,
             "Idle connections to each node that a shard keeps for the next POST, and for a second as many again. All "
             "shards' together should leave places in the node's --rpc-max-connections."),
      milliseconds("pool_idle_timeout_ms", &S::pool_idle_timeout_ms, "How long it keeps one."),
      number("health_interval_ms", &S::health_interval_ms, Unit::milliseconds, 0, day_ms,
             "How often each node is asked how it is: system_health, and its best and finalized block. One that does "
             "not know these methods, or is served as a tunnel, only has to take a connection. What is not healthy "
             "gets no client while another is; if none is, the least bad serve.",
             "off"),
      milliseconds("health_timeout_ms", &S::health_timeout_ms, "For all answers of one time."),
      number("health_fall", &S::health_fall, Unit::none, 1, 100, "So many times in a row make a node unhealthy."),
      number("health_rise", &S::health_rise, Unit::none, 1, 100, "So many times in a row make it healthy again."),
      number("health_peers_min", &S::health_peers_min, Unit::none, 0, 10'000,
             "Peers that a node must have, unless it says that it should have none."),
      number("health_lag_blocks_max", &S::health_lag_blocks_max, Unit::none, 0, 1'000'000,
             "How far the best or the finalized block of a node may be behind: behind the higher one of two nodes, or "
             "the second highest of more, so that one that is wrong condemns no other.",
             "none"),
      number("health_block_age_max_s", &S::health_block_age_max_s, Unit::seconds, 0, 86'400,
             "How long ago the best block of a node may have changed; for chains that always make blocks.", "none"),
      number("eject_failures", &S::eject_failures, Unit::none, 0, 1'000,
             "After so many requests in a row that a node did not take, did not answer in time, or answered with what "
             "is no HTTP, it gets no new ones for a while. Its 429 is none of these. Not where it is the only one.",
             "off"),
      milliseconds("eject_ms", &S::eject_ms,
                   "For how long, and up to a quarter more at random; twice as long each time that it follows soon."),
      milliseconds("eject_ms_max", &S::eject_ms_max, "But no longer than this, and a quarter."),
  };
  return rows;
}

template <>
std::span<const std::pair<std::string_view, Balance>> words() {
  static constexpr std::array<std::pair<std::string_view, Balance>, 2> rows{
      {{"least_connections", Balance::least_connections}, {"hash", Balance::hash}}};
  return rows;
}

}  // namespace ringwall::config
