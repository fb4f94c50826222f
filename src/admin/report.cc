#include <ringwall/admin/report.h>

#include "process_numbers.h"

#include <nlohmann/json.hpp>

#include <optional>
#include <utility>

namespace ringwall::admin {

namespace {

using Json = nlohmann::ordered_json;

std::uint64_t sum_of(const std::vector<ShardReport>& shards, auto value) {
  std::uint64_t sum = 0;
  for (const ShardReport& row : shards) sum += value(row.last);
  return sum;
}

std::uint64_t calls_of(const shard::Snapshot& shard, session::Verdict verdict) {
  std::uint64_t sum = 0;
  for (std::size_t method = 0; method <= rpc::known_methods().size(); ++method)
    sum += shard.calls.count_of(verdict, method);
  return sum;
}

std::uint64_t open_in(const shard::Snapshot& shard) {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : shard.sessions.in_state) sum += count;
  return sum;
}

double s(std::uint64_t ns) { return static_cast<double>(ns) / 1e9; }

template <typename T>
Json or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

Json or_null_s(const std::optional<std::uint64_t>& ns) { return ns ? Json(s(*ns)) : Json(nullptr); }

Json node_json(const NodeRow& row, const shard::NodeCounters& counted) {
  return {{"name", row.name},
          {"healthy", row.is_healthy},
          {"state", row.state},
          {"why", row.health.why},
          {"places", row.places_taken},
          {"places_max", row.places_max},
          {"at_limit", row.health.at_limit},
          {"best_block", or_null(row.health.best)},
          {"finalized_block", or_null(row.health.finalized)},
          {"lag_blocks", or_null(row.health.lag_blocks)},
          {"block_age_s", or_null_s(row.block_age_ns)},
          {"peers", or_null(row.health.peers)},
          {"syncing", or_null(row.health.syncing)},
          {"latency_s", or_null_s(row.health.latency_ns)},
          {"ejected_left_s", row.ejected_left_ns > 0 ? Json(s(row.ejected_left_ns)) : Json(nullptr)},
          {"connect_failures", counted.connect_failures},
          {"limit_reached", counted.limit_reached}};
}

// Each with its nodes.
Json upstreams_json(const std::vector<NodeRow>& nodes, const std::vector<ShardReport>& shards) {
  Json upstreams = Json::array();
  for (std::size_t index = 0; index < nodes.size(); ++index) {
    const NodeRow& node = nodes[index];
    shard::NodeCounters counted;
    for (const ShardReport& shard : shards) {
      if (index >= shard.last.nodes.size()) continue;
      counted.connect_failures += shard.last.nodes[index].connect_failures;
      counted.limit_reached += shard.last.nodes[index].limit_reached;
    }
    if (index == 0 || nodes[index - 1].upstream != node.upstream) {
      upstreams.push_back({{"name", node.upstream}, {"healthy", false}, {"places", 0U}, {"nodes", Json::array()}});
    }
    Json& upstream = upstreams.back();
    upstream["healthy"] = upstream["healthy"].get<bool>() || node.is_healthy;
    upstream["places"] = upstream["places"].get<std::uint64_t>() + node.places_taken;
    upstream["nodes"].push_back(node_json(node, counted));
  }
  return upstreams;
}

Json shard_json(const ShardReport& row) {
  return {{"up", row.is_up},
          {"connections", open_in(row.last)},
          {"handlers_s", s(row.last.loop.handlers_ns)},
          {"kernel_s", s(row.last.loop.kernel_ns)},
          {"idle_s", s(row.last.loop.idle_ns)},
          {"backlog_bytes", row.last.backlog.used},
          {"backlog_bytes_max", row.last.backlog.bound},
          {"assembly_bytes", row.last.assembly.used},
          {"assembly_bytes_max", row.last.assembly.bound}};
}

}  // namespace

void Report::take(Shards& shards) {
  auto answers =
      shards.ask<shard::Snapshot>([](shard::Shard& shard, std::size_t, shard::Snapshot& out) { out.take(shard); });
  for (std::size_t index = 0; index < answers.size(); ++index) {
    shards_[index].is_up = answers[index] != nullptr;
    if (answers[index]) shards_[index].last = std::move(*answers[index]);
  }
}

std::string Report::status_json() const {
  using Shard = const shard::Snapshot&;
  const ProcessNumbers process = process_numbers();
  Json verdicts = Json::object();
  for (std::size_t index = 0; index < session::verdicts; ++index) {
    const auto verdict = static_cast<session::Verdict>(index);
    verdicts[std::string(name(verdict))] = sum_of(shards_, [&](Shard shard) { return calls_of(shard, verdict); });
  }
  Json shards = Json::array();
  for (const ShardReport& row : shards_) shards.push_back(shard_json(row));
  using connection::ByteCounters;
  const auto traffic = [&](std::uint64_t ByteCounters::* way) {
    return sum_of(shards_, [&](Shard shard) { return shard.connections.accepted.*way; });
  };
  const Readiness readiness = control_.readiness({});
  const Json status{{"version", control_.version},
                    {"start_s", process.start_s},
                    {"ready", readiness.ready},
                    {"why", readiness.why},
                    {"resident_bytes", process.resident_bytes},
                    {"connections", sum_of(shards_, open_in)},
                    {"opened", sum_of(shards_, [](Shard shard) { return shard.opened; })},
                    {"relays", sum_of(shards_,
                                      [](Shard shard) {
                                        return shard.sessions.in_state[static_cast<std::size_t>(session::State::relay)];
                                      })},
                    {"calls", std::move(verdicts)},
                    {"units", sum_of(shards_, [](Shard shard) { return shard.quota.units_given; })},
                    {"client_received_bytes", traffic(&ByteCounters::received)},
                    {"client_sent_bytes", traffic(&ByteCounters::sent)},
                    {"shards", std::move(shards)},
                    {"upstreams", upstreams_json(control_.nodes(), shards_)}};
  return status.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace ringwall::admin
