#include <ringwall/metrics/catalogue.h>

#include <algorithm>

namespace ringwall::metrics {

namespace {

using Labels = std::array<std::string_view, labels_max>;

constexpr Labels labels(std::string_view first = "", std::string_view second = "", std::string_view third = "") {
  return {first, second, third};
}

constexpr std::array<Row, metrics> rows{{
    {Metric::build_info, "ringwall_build_info", Type::gauge, Unit::none, labels("version"),
     "Which Ringwall this is; always 1"},
    {Metric::shard_up, "ringwall_shard_up", Type::gauge, Unit::none, labels("shard"),
     "Whether the shard answered this scrape in time; if not, its other values are those of the last time"},
    {Metric::connections, "ringwall_connections", Type::gauge, Unit::none, labels("shard", "state"),
     "Open client connections, by what they are doing"},
    {Metric::connections_opened, "ringwall_connections_opened_total", Type::counter, Unit::none, labels(),
     "Client connections that were let in"},
    {Metric::connections_ended, "ringwall_connections_ended_total", Type::counter, Unit::none, labels("reason"),
     "Client connections that have ended, by why"},
    {Metric::connections_refused, "ringwall_connections_refused_total", Type::counter, Unit::none, labels("reason"),
     "Client connections, handshakes and upgrades that were refused for anything but the limits of "
     "ringwall_limit_refusals_total"},
    {Metric::requests_refused, "ringwall_requests_refused_total", Type::counter, Unit::none, labels("reason"),
     "HTTP requests through a trusted proxy that were refused for their client's address: limits.allow, limits.deny "
     "and bans"},
    {Metric::tls_handshakes, "ringwall_tls_handshakes_total", Type::counter, Unit::none,
     labels("version", "suite", "result"), "TLS handshakes that have ended: full, resumed, or why they failed"},
    {Metric::tls_certificate_expiry, "ringwall_tls_certificate_expiry_timestamp_seconds", Type::gauge, Unit::seconds,
     labels("file"), "When a certificate in use expires, in Unix time"},
    {Metric::received_bytes, "ringwall_received_bytes_total", Type::counter, Unit::bytes, labels("side"),
     "Bytes received over TCP, TLS included, from clients and from nodes"},
    {Metric::sent_bytes, "ringwall_sent_bytes_total", Type::counter, Unit::bytes, labels("side"),
     "Bytes that the kernel took to be sent over TCP, TLS included, to clients and to nodes"},
    {Metric::websocket_messages, "ringwall_websocket_messages_total", Type::counter, Unit::none, labels("from", "kind"),
     "WebSocket messages and control frames received; one in several frames counts once"},
    {Metric::calls, "ringwall_calls_total", Type::counter, Unit::none, labels("method", "verdict"),
     "JSON-RPC calls, by what became of them; methods that are not known here are other"},
    {Metric::messages_unreadable, "ringwall_messages_unreadable_total", Type::counter, Unit::none, labels(),
     "Messages that were refused since they are no JSON-RPC"},
    {Metric::limit_refusals, "ringwall_limit_refusals_total", Type::counter, Unit::none, labels("limit"),
     "Connections, messages and requests that were refused, by the limit that was reached first"},
    {Metric::units, "ringwall_units_total", Type::counter, Unit::none, labels("kind"),
     "Units of cost that were charged (given) and owed afterwards (owed)"},
    {Metric::call_duration, "ringwall_call_duration_seconds", Type::histogram, Unit::seconds, labels("class"),
     "From a call's way to the node until its whole answer has come, by cost class; batches and unsubscribes are left "
     "out"},
    {Metric::upstream_places, "ringwall_upstream_places", Type::gauge, Unit::none, labels("upstream"),
     "WebSocket and tunnel connections that are open to a node"},
    {Metric::upstream_places_max, "ringwall_upstream_max_places", Type::gauge, Unit::none, labels("upstream"),
     "How many of them may be open (upstream.connections_max), where there is a bound"},
    {Metric::upstream_connect_failures, "ringwall_upstream_connect_failures_total", Type::counter, Unit::none,
     labels("upstream"), "Requests and upgrades for which no connection to the node could be had"},
    {Metric::upstream_limit_reached, "ringwall_upstream_limit_reached_total", Type::counter, Unit::none,
     labels("upstream"), "Answers 429 of a node that has all the connections that it takes"},
    {Metric::upstream_healthy, "ringwall_upstream_healthy", Type::gauge, Unit::none, labels("upstream"),
     "Whether a node is known to be well, so that it gets clients before others; where none of them is, it still may"},
    {Metric::upstream_ejected, "ringwall_upstream_ejected", Type::gauge, Unit::none, labels("upstream"),
     "Whether a node gets no clients for a while since requests to it failed (upstream.eject_failures)"},
    {Metric::upstream_best_block, "ringwall_upstream_best_block", Type::gauge, Unit::none, labels("upstream"),
     "Number of a node's best block, as it said last"},
    {Metric::upstream_finalized_block, "ringwall_upstream_finalized_block", Type::gauge, Unit::none, labels("upstream"),
     "Number of a node's finalized block, as it said last"},
    {Metric::upstream_lag_blocks, "ringwall_upstream_lag_blocks", Type::gauge, Unit::none, labels("upstream"),
     "How far its best or its finalized block, whichever is further, is behind the higher one of two nodes, or the "
     "second highest of more; absent while its numbers are old"},
    {Metric::upstream_peers, "ringwall_upstream_peers", Type::gauge, Unit::none, labels("upstream"),
     "Peers of a node, as it said last"},
    {Metric::upstream_latency, "ringwall_upstream_latency_seconds", Type::gauge, Unit::seconds, labels("upstream"),
     "How long a node took to take a connection and give its first answer, when it was last asked how it is"},
    {Metric::backlog_bytes, "ringwall_backlog_bytes", Type::gauge, Unit::bytes, labels("shard"),
     "Memory of what waits for slow readers"},
    {Metric::backlog_bytes_max, "ringwall_backlog_max_bytes", Type::gauge, Unit::bytes, labels("shard"),
     "Its bound (server.backlog_bytes_max)"},
    {Metric::backlog_full, "ringwall_backlog_full_total", Type::counter, Unit::none, labels("shard"),
     "How often it, or one address's share of it, was asked for in vain"},
    {Metric::backlog_copied_bytes, "ringwall_backlog_copied_bytes_total", Type::counter, Unit::bytes, labels("shard"),
     "Bytes that were copied into it"},
    {Metric::backlog_dropped, "ringwall_backlog_dropped_connections_total", Type::counter, Unit::none, labels("shard"),
     "Slow readers that were dropped since it was nearly spent"},
    {Metric::assembly_bytes, "ringwall_assembly_bytes", Type::gauge, Unit::bytes, labels("shard"),
     "Memory of messages and bodies that are not whole yet"},
    {Metric::assembly_bytes_max, "ringwall_assembly_max_bytes", Type::gauge, Unit::bytes, labels("shard"),
     "Its bound (server.assembly_bytes_max)"},
    {Metric::assembly_full, "ringwall_assembly_full_total", Type::counter, Unit::none, labels("shard"),
     "How often it was asked for in vain"},
    {Metric::arena_bytes, "ringwall_arena_bytes", Type::gauge, Unit::bytes, labels("shard"),
     "Memory of what lives for a turn, held and free"},
    {Metric::arena_bytes_max, "ringwall_arena_max_bytes", Type::gauge, Unit::bytes, labels("shard"),
     "What it is kept to where it can be"},
    {Metric::buffers_exhausted, "ringwall_receive_buffers_exhausted_total", Type::counter, Unit::none, labels("shard"),
     "Receives that found no provided buffer left (server.buffers_per_shard)"},
    {Metric::turn_share_exceeded, "ringwall_turn_share_exceeded_total", Type::counter, Unit::none, labels("shard"),
     "Receives that were paused for taking more than their share of a turn"},
    {Metric::short_sends, "ringwall_short_sends_total", Type::counter, Unit::none, labels("shard"),
     "Sends of which a socket did not take all at once"},
    {Metric::handshake_waits, "ringwall_handshake_waits_total", Type::counter, Unit::none, labels("shard"),
     "Turns that ended with handshakes left to do (server.handshakes_per_turn)"},
    {Metric::accept_pauses, "ringwall_accept_pauses_total", Type::counter, Unit::none, labels("shard"),
     "How often a listener stopped accepting since its shard had all the clients that it may have"},
    {Metric::loop_seconds, "ringwall_loop_seconds_total", Type::counter, Unit::seconds, labels("shard", "part"),
     "Time of a shard's loop: handlers, the kernel's work for it, and idle"},
    {Metric::loop_turns, "ringwall_loop_turns_total", Type::counter, Unit::none, labels("shard"),
     "Turns of a shard's loop"},
    {Metric::loop_completions, "ringwall_loop_completions_total", Type::counter, Unit::none, labels("shard"),
     "Completions that its handlers were called for"},
    {Metric::loop_spills, "ringwall_loop_spills_total", Type::counter, Unit::none, labels("shard"),
     "Operations that found the submission queue full"},
    {Metric::bans, "ringwall_bans", Type::gauge, Unit::none, labels(), "Addresses and ranges that are banned now"},
    {Metric::reloads, "ringwall_reloads_total", Type::counter, Unit::none, labels("result"),
     "How often the configuration was read again, by whether it was in order: ok or refused"},
    {Metric::log_lines_dropped, "ringwall_log_lines_dropped_total", Type::counter, Unit::none, labels(),
     "Lines of the log that nobody took in time"},
    {Metric::process_cpu_seconds, "process_cpu_seconds_total", Type::counter, Unit::seconds, labels(),
     "CPU time of the process"},
    {Metric::process_resident_memory_bytes, "process_resident_memory_bytes", Type::gauge, Unit::bytes, labels(),
     "Resident memory of the process"},
    {Metric::process_open_files, "process_open_fds", Type::gauge, Unit::none, labels(), "Open file descriptors"},
    {Metric::process_open_files_max, "process_max_fds", Type::gauge, Unit::none, labels(),
     "How many file descriptors may be open"},
    {Metric::process_start_time, "process_start_time_seconds", Type::gauge, Unit::seconds, labels(),
     "When the process started, in Unix time"},
}};

constexpr bool is_name(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

constexpr bool says_its_unit(const Row& row) {
  switch (row.unit) {
    case Unit::none:
      return true;
    case Unit::bytes:
      return row.name.ends_with("_bytes") || row.name.ends_with("_bytes_total");
    case Unit::seconds:
      return row.name.ends_with("_seconds") || row.name.ends_with("_seconds_total");
  }
  return false;
}

constexpr bool is_sound() {
  for (std::size_t index = 0; index < rows.size(); ++index) {
    const Row& row = rows[index];
    if (row.metric != static_cast<Metric>(index) || !is_name(row.name) || !says_its_unit(row)) return false;
    if ((row.type == Type::counter) != row.name.ends_with("_total")) return false;
    if (row.help.empty() || row.help.ends_with('.')) return false;
    bool ended = false;
    for (const std::string_view label : row.labels) {
      if (!label.empty() && (ended || !is_name(label))) return false;
      ended = label.empty();
    }
  }
  return true;
}

static_assert(is_sound());

}  // namespace

std::span<const Row, metrics> catalogue() { return rows; }

const Row& row(Metric metric) { return rows[static_cast<std::size_t>(metric)]; }

}  // namespace ringwall::metrics
