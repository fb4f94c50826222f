// catalogue.h: every metric that Ringwall has: its name, type, help and labels. Constant data, any thread.
//
// The text writer (text.h) takes nothing that does not stand here. Sums are over all shards where there is no label
// `shard`. The label `upstream` is a node: its upstream's name, with its address where there are several. Names follow
// Prometheus' advice: base units, `_total` for counters. Source: https://prometheus.io/docs/practices/naming/ and the
// text format 0.0.4.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ringwall::metrics {

enum class Type : std::uint8_t { counter, gauge, histogram };

// What a value counts; the name says it too.
enum class Unit : std::uint8_t { none, bytes, seconds };

enum class Metric : std::uint8_t {
  build_info,
  shard_up,
  connections,
  connections_opened,
  connections_ended,
  connections_refused,
  requests_refused,
  tls_handshakes,
  tls_certificate_expiry,
  received_bytes,
  sent_bytes,
  websocket_messages,
  calls,
  messages_unreadable,
  limit_refusals,
  units,
  call_duration,
  upstream_places,
  upstream_places_max,
  upstream_connect_failures,
  upstream_limit_reached,
  upstream_healthy,
  upstream_ejected,
  upstream_best_block,
  upstream_finalized_block,
  upstream_lag_blocks,
  upstream_peers,
  upstream_latency,
  backlog_bytes,
  backlog_bytes_max,
  backlog_full,
  backlog_copied_bytes,
  backlog_dropped,
  assembly_bytes,
  assembly_bytes_max,
  assembly_full,
  arena_bytes,
  arena_bytes_max,
  buffers_exhausted,
  turn_share_exceeded,
  short_sends,
  handshake_waits,
  accept_pauses,
  loop_seconds,
  loop_turns,
  loop_completions,
  loop_spills,
  bans,
  reloads,
  log_lines_dropped,
  process_cpu_seconds,
  process_resident_memory_bytes,
  process_open_files,
  process_open_files_max,
  process_start_time,
  count
};
inline constexpr std::size_t metrics = static_cast<std::size_t>(Metric::count);

inline constexpr std::size_t labels_max = 3;

struct Row {
  Metric metric;
  std::string_view name;
  Type type;
  Unit unit;
  std::array<std::string_view, labels_max> labels;  // in the order of their values; the rest is empty
  std::string_view help;                            // one sentence, without its full stop
};

[[nodiscard]] std::span<const Row, metrics> catalogue();
[[nodiscard]] const Row& row(Metric metric);

}  // namespace ringwall::metrics
