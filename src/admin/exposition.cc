// The metrics of the catalogue, in its order.
#include <ringwall/admin/report.h>
#include <ringwall/log/log.h>
#include <ringwall/metrics/text.h>
#include <ringwall/tls/failure.h>
#include <ringwall/tls/keys.h>

#include "process_numbers.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <string_view>

namespace ringwall::admin {

namespace {

using metrics::Metric;
using metrics::TextWriter;

double seconds(std::uint64_t ns) { return static_cast<double>(ns) / 1e9; }

constexpr std::array<std::string_view, 2> done_names{"full", "resumed"};
constexpr std::array<std::string_view, 3> class_names{"cheap", "normal", "heavy"};

// Why sessions end in the middle of a handshake, but for its own failures.
bool ends_handshakes(session::EndReason reason) {
  using enum session::EndReason;
  static constexpr std::array reasons{client_gone,  client_reset, client_slow, over_limit,
                                      memory_bound, banned,       stopping};
  return std::ranges::find(reasons, reason) != reasons.end();
}

// What all shards have counted together.
struct Sums {
  explicit Sums(const std::vector<ShardReport>& shards) {
    for (const ShardReport& row : shards) add(row.last);
  }

  void add(const shard::Snapshot& one) {
    opened += one.opened;
    accept_refused += one.accept_refused;
    for (std::size_t index = 0; index < ended.size(); ++index) ended[index] += one.ended[index];
    calls.add(one.calls);
    for (std::size_t index = 0; index < call_duration.size(); ++index) {
      call_duration[index].add(one.sessions.call_duration[index]);
    }
    for (std::size_t index = 0; index < refused.size(); ++index) refused[index] += one.quota.refused[index];
    units_given += one.quota.units_given;
    units_owed += one.quota.units_owed;
    unreadable += one.guard.unreadable;
    denied += one.guard.connections_denied;
    requests_denied += one.guard.requests_denied;
    handshakes_refused += one.guard.handshakes_refused;
    proxied_refused += one.guard.proxied_refused;
    add_handshakes(one.sessions.handshakes);
    add(from_clients, one.sessions.from_clients);
    add(from_nodes, one.sessions.from_nodes);
    add(accepted, one.connections.accepted);
    add(connected, one.connections.connected);
    nodes.resize(std::max(nodes.size(), one.nodes.size()));
    for (std::size_t index = 0; index < one.nodes.size(); ++index) {
      nodes[index].connect_failures += one.nodes[index].connect_failures;
      nodes[index].limit_reached += one.nodes[index].limit_reached;
    }
  }

  void add_handshakes(const session::HandshakeCounters& one) {
    for (std::size_t version = 0; version < one.done.size(); ++version) {
      for (std::size_t cipher = 0; cipher < one.done[version].size(); ++cipher) {
        for (std::size_t how = 0; how < done_names.size(); ++how) {
          handshakes.done[version][cipher][how] += one.done[version][cipher][how];
        }
      }
    }
    for (std::size_t index = 0; index < one.failed.size(); ++index) handshakes.failed[index] += one.failed[index];
    for (std::size_t index = 0; index < one.left.size(); ++index) handshakes.left[index] += one.left[index];
  }

  static void add(session::MessageCounters& to, const session::MessageCounters& one) {
    to.data += one.data;
    to.pings += one.pings;
    to.pongs += one.pongs;
    to.closes += one.closes;
  }

  static void add(connection::ByteCounters& to, const connection::ByteCounters& one) {
    to.received += one.received;
    to.sent += one.sent;
  }

  std::uint64_t opened = 0;
  std::uint64_t accept_refused = 0;
  session::EndCounters ended{};
  session::CallCounters calls{};
  std::array<metrics::Histogram, class_names.size()> call_duration{};
  std::array<std::uint64_t, quota::reasons> refused{};
  std::uint64_t units_given = 0;
  std::uint64_t units_owed = 0;
  std::uint64_t unreadable = 0;
  std::uint64_t denied = 0;
  std::uint64_t requests_denied = 0;
  std::uint64_t handshakes_refused = 0;
  std::uint64_t proxied_refused = 0;
  session::HandshakeCounters handshakes{};
  session::MessageCounters from_clients{};
  session::MessageCounters from_nodes{};
  connection::ByteCounters accepted{};
  connection::ByteCounters connected{};
  std::vector<shard::NodeCounters> nodes{};
};

void write_connections(TextWriter& out, const std::vector<ShardReport>& shards, const Sums& sums) {
  out.family(Metric::connections);
  for (std::size_t index = 0; index < shards.size(); ++index) {
    const auto& in_state = shards[index].last.sessions.in_state;
    for (std::size_t state = 0; state < in_state.size(); ++state) {
      out.sample({std::to_string(index), name(static_cast<session::State>(state))}, in_state[state]);
    }
  }
  out.family(Metric::connections_opened);
  out.sample({}, sums.opened);
  out.family(Metric::connections_ended);
  for (std::size_t reason = 1; reason < sums.ended.size(); ++reason) {
    out.sample({name(static_cast<session::EndReason>(reason))}, sums.ended[reason]);
  }
  out.family(Metric::connections_refused);
  out.sample({"address"}, sums.denied);
  out.sample({"handshakes_max"}, sums.handshakes_refused);
  out.sample({"proxied"}, sums.proxied_refused);
  out.sample({"shard_full"}, sums.accept_refused);
  out.family(Metric::requests_refused);
  out.sample({"address"}, sums.requests_denied);
}

// What has not happened yet is there too: increase() sees nothing of a series that begins with 1.
void write_handshakes(TextWriter& out, const session::HandshakeCounters& handshakes) {
  out.family(Metric::tls_handshakes);
  for (std::size_t version = 0; version < handshakes.done.size(); ++version) {
    for (std::size_t cipher = 0; cipher < handshakes.done[version].size(); ++cipher) {
      for (std::size_t how = 0; how < done_names.size(); ++how) {
        out.sample({name(static_cast<tls::Version>(version)), name(static_cast<tls::Cipher>(cipher)), done_names[how]},
                   handshakes.done[version][cipher][how]);
      }
    }
  }
  for (std::size_t index = 1; index < handshakes.failed.size(); ++index) {
    out.sample({"", "", tls::name(static_cast<tls::FailureReason>(index))}, handshakes.failed[index]);
  }
  for (std::size_t index = 1; index < handshakes.left.size(); ++index) {
    const auto reason = static_cast<session::EndReason>(index);
    if (handshakes.left[index] > 0 || ends_handshakes(reason))
      out.sample({"", "", name(reason)}, handshakes.left[index]);
  }
}

void write_messages(TextWriter& out, std::string_view from, const session::MessageCounters& messages) {
  out.sample({from, "data"}, messages.data);
  out.sample({from, "ping"}, messages.pings);
  out.sample({from, "pong"}, messages.pongs);
  out.sample({from, "close"}, messages.closes);
}

void write_traffic(TextWriter& out, const Sums& sums) {
  out.family(Metric::received_bytes);
  out.sample({"client"}, sums.accepted.received);
  out.sample({"node"}, sums.connected.received);
  out.family(Metric::sent_bytes);
  out.sample({"client"}, sums.accepted.sent);
  out.sample({"node"}, sums.connected.sent);
  out.family(Metric::websocket_messages);
  write_messages(out, "client", sums.from_clients);
  write_messages(out, "node", sums.from_nodes);
}

void write_calls(TextWriter& out, const Sums& sums) {
  out.family(Metric::calls);
  const auto known = rpc::known_methods();
  for (std::size_t index = 0; index < session::verdicts; ++index) {
    const auto verdict = static_cast<session::Verdict>(index);
    for (std::size_t method = 0; method <= known.size(); ++method) {
      const std::uint64_t count = sums.calls.count_of(verdict, method);
      if (count > 0) out.sample({method < known.size() ? known[method].name : "other", name(verdict)}, count);
    }
  }
  out.family(Metric::messages_unreadable);
  out.sample({}, sums.unreadable);
  out.family(Metric::limit_refusals);
  for (std::size_t reason = 1; reason < sums.refused.size(); ++reason) {
    out.sample({quota::to_text(static_cast<quota::Reason>(reason))}, sums.refused[reason]);
  }
  out.family(Metric::units);
  out.sample({"given"}, sums.units_given);
  out.sample({"owed"}, sums.units_owed);
  out.family(Metric::call_duration);
  for (std::size_t index = 0; index < class_names.size(); ++index) {
    out.sample({class_names[index]}, sums.call_duration[index]);
  }
}

// What a node has not told is left out.
void write_nodes(TextWriter& out, const std::vector<NodeRow>& nodes, Sums& sums) {
  sums.nodes.resize(nodes.size());
  const auto each = [&](Metric metric, auto value) {
    out.family(metric);
    for (std::size_t index = 0; index < nodes.size(); ++index) {
      const std::optional<std::uint64_t> known(value(nodes[index], sums.nodes[index]));
      if (known) out.sample({nodes[index].name}, *known);
    }
  };
  using Node = const NodeRow&;
  using Counters = const shard::NodeCounters&;
  each(Metric::upstream_places, [](Node node, Counters) { return node.places_taken; });
  each(Metric::upstream_places_max, [](Node node, Counters) {
    return node.places_max > 0 ? std::optional<std::uint64_t>(node.places_max) : std::nullopt;
  });
  each(Metric::upstream_connect_failures, [](Node, Counters counters) { return counters.connect_failures; });
  each(Metric::upstream_limit_reached, [](Node, Counters counters) { return counters.limit_reached; });
  each(Metric::upstream_healthy, [](Node node, Counters) { return std::uint64_t{node.is_healthy}; });
  each(Metric::upstream_ejected, [](Node node, Counters) { return std::uint64_t{node.ejected_left_ns > 0}; });
  each(Metric::upstream_best_block, [](Node node, Counters) { return node.health.best; });
  each(Metric::upstream_finalized_block, [](Node node, Counters) { return node.health.finalized; });
  each(Metric::upstream_lag_blocks, [](Node node, Counters) { return node.health.lag_blocks; });
  each(Metric::upstream_peers, [](Node node, Counters) { return node.health.peers; });
  out.family(Metric::upstream_latency);
  for (const NodeRow& node : nodes) {
    if (node.health.latency_ns) out.sample({node.name}, seconds(*node.health.latency_ns));
  }
}

void write_bounds(TextWriter& out, const std::vector<ShardReport>& shards) {
  const auto each = [&](Metric metric, auto value) {
    out.family(metric);
    for (std::size_t index = 0; index < shards.size(); ++index) {
      out.sample({std::to_string(index)}, std::uint64_t{value(shards[index].last)});
    }
  };
  using Shard = const shard::Snapshot&;
  each(Metric::backlog_bytes, [](Shard shard) { return shard.backlog.used; });
  each(Metric::backlog_bytes_max, [](Shard shard) { return shard.backlog.bound; });
  each(Metric::backlog_full, [](Shard shard) { return shard.backlog.times_reached; });
  each(Metric::backlog_copied_bytes, [](Shard shard) { return shard.connections.backlog_copies; });
  each(Metric::backlog_dropped, [](Shard shard) { return shard.connections.hoarders_dropped; });
  each(Metric::assembly_bytes, [](Shard shard) { return shard.assembly.used; });
  each(Metric::assembly_bytes_max, [](Shard shard) { return shard.assembly.bound; });
  each(Metric::assembly_full, [](Shard shard) { return shard.assembly.times_reached; });
  each(Metric::arena_bytes, [](Shard shard) { return shard.arena.used; });
  each(Metric::arena_bytes_max, [](Shard shard) { return shard.arena.bound; });
  each(Metric::buffers_exhausted, [](Shard shard) { return shard.connections.buffers_ran_out; });
  each(Metric::turn_share_exceeded, [](Shard shard) { return shard.connections.share_exceeded; });
  each(Metric::short_sends, [](Shard shard) { return shard.connections.sends_short; });
  each(Metric::handshake_waits, [](Shard shard) { return shard.connections.handshakes_waited; });
  each(Metric::accept_pauses, [](Shard shard) { return shard.accept_pauses; });
  out.family(Metric::loop_seconds);
  for (std::size_t index = 0; index < shards.size(); ++index) {
    const shard::LoopTime& loop = shards[index].last.loop;
    out.sample({std::to_string(index), "handlers"}, seconds(loop.handlers_ns));
    out.sample({std::to_string(index), "kernel"}, seconds(loop.kernel_ns));
    out.sample({std::to_string(index), "idle"}, seconds(loop.idle_ns));
  }
  each(Metric::loop_turns, [](Shard shard) { return shard.ring.turns; });
  each(Metric::loop_completions, [](Shard shard) { return shard.ring.completions; });
  each(Metric::loop_spills, [](Shard shard) { return shard.ring.spilled; });
}

void write_process(TextWriter& out, const ProcessNumbers& process) {
  out.family(Metric::process_cpu_seconds);
  out.sample({}, process.cpu_s);
  out.family(Metric::process_resident_memory_bytes);
  out.sample({}, process.resident_bytes);
  out.family(Metric::process_open_files);
  out.sample({}, open_files());
  out.family(Metric::process_open_files_max);
  out.sample({}, process.open_files_max);
  out.family(Metric::process_start_time);
  out.sample({}, process.start_s);
}

}  // namespace

std::string Report::prometheus_text(std::size_t bans) const {
  Sums sums(shards_);
  TextWriter out;
  out.family(Metric::build_info);
  out.sample({control_.version}, std::uint64_t{1});
  out.family(Metric::shard_up);
  for (std::size_t index = 0; index < shards_.size(); ++index) {
    out.sample({std::to_string(index)}, std::uint64_t{shards_[index].is_up});
  }
  write_connections(out, shards_, sums);
  write_handshakes(out, sums.handshakes);
  out.family(Metric::tls_certificate_expiry);
  std::map<std::string, std::int64_t> expiries;  // a file may serve several listeners
  for (const CertificateExpiry& row : control_.certificates()) expiries[row.file] = row.not_after_s;
  for (const auto& [file, not_after_s] : expiries) out.sample({file}, static_cast<double>(not_after_s));
  write_traffic(out, sums);
  write_calls(out, sums);
  write_nodes(out, control_.nodes(), sums);
  write_bounds(out, shards_);
  out.family(Metric::bans);
  out.sample({}, std::uint64_t{bans});
  const Reloads reloads = control_.reloads();
  out.family(Metric::reloads);
  out.sample({"ok"}, reloads.ok);
  out.sample({"refused"}, reloads.refused);
  out.family(Metric::log_lines_dropped);
  out.sample({}, log::lines_dropped());
  write_process(out, process_numbers());
  return out.take();
}

}  // namespace ringwall::admin
