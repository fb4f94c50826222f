// The server's nodes: where they are, what they offer, and how they do.
#include <ringwall/config/route.h>
#include <ringwall/log/fields.h>
#include <ringwall/log/log.h>

#include "server.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace ringwall::server {

namespace {

// For what has an event of its own in the log.
upstream::Log log_as(std::string_view event) {
  return [event](const upstream::LogLine& line) {
    log::Fields<2> fields;
    if (!line.upstream.empty()) fields.add("upstream", std::string_view(line.upstream));
    if (!line.state.empty()) fields.add("state", line.state);
    log::write({.level = line.level, .event = event, .sentence = line.text, .fields = fields.span()});
  };
}

// Of each node of all upstreams.
std::vector<bool> speak_rpc(const config::Config& config) {
  std::vector<bool> nodes;
  for (std::size_t index = 0; index < config.upstreams.size(); ++index) {
    nodes.insert(nodes.end(), config::nodes_of(config.upstreams[index]).size(), config::serves_rpc(config, index));
  }
  return nodes;
}

upstream::HealthSettings health_settings(const config::Upstream& upstream) {
  return {.fall = upstream.health_fall,
          .rise = upstream.health_rise,
          .peers_min = upstream.health_peers_min,
          .lag_blocks_max = upstream.health_lag_blocks_max,
          .block_age_max_s = upstream.health_block_age_max_s,
          .eject = {.failures = upstream.eject_failures,
                    .first_ms = static_cast<std::uint32_t>(upstream.eject_ms),
                    .most_ms = static_cast<std::uint32_t>(upstream.eject_ms_max)}};
}

}  // namespace

Result<void> Server::make_targets() {
  std::vector<upstream::Resolver::Row> rows;
  for (const config::Upstream& row : config_.upstreams) {
    const std::vector<config::Endpoint> nodes = config::nodes_of(row);
    for (const config::Endpoint& node : nodes) {
      const std::string name = nodes.size() == 1 ? row.name : row.name + " at " + config::to_text(node);
      targets_.push_back(std::make_unique<upstream::Target>(name, node.host, node.port, row.connections_max));
      rows.push_back({.target = targets_.back().get(), .interval_s = row.resolve_interval_s});
    }
  }
  resolver_ = std::make_unique<upstream::Resolver>(rows);
  if (resolver_->error() != 0) return fail_no_thread(resolver_->error());
  for (const auto& target : targets_) {
    if (target->addresses()->empty()) {
      log::warning("upstream_unknown",
                   fmt::format("upstream {}: its name is not found yet: it is asked for again", target->name()),
                   {{"upstream", std::string_view(target->name())}});
    }
  }
  return {};
}

// What the nodes offer is asked for while clients are served already.
Result<void> Server::ask_nodes() {
  std::vector<const upstream::Target*> targets;
  for (const auto& target : targets_) targets.push_back(target.get());
  Result<std::unique_ptr<upstream::Offers>> offers = upstream::Offers::start(
      targets, speak_rpc(config_), *rules_->methods, session::method_settings(config_.methods), log_as("node_methods"));
  if (!offers) return std::unexpected(offers.error());
  offers_ = std::move(*offers);
  return {};
}

Result<void> Server::watch_nodes() {
  std::vector<upstream::WatchedGroup> groups;
  auto target = targets_.begin();
  for (std::size_t index = 0; index < config_.upstreams.size(); ++index) {
    const config::Upstream& row = config_.upstreams[index];
    upstream::WatchedGroup& group =
        groups.emplace_back(upstream::WatchedGroup{.name = row.name,
                                                   .nodes = {},
                                                   .speaks_rpc = config::serves_rpc(config_, index),
                                                   .interval_ms = row.health_interval_ms,
                                                   .timeout_ms = row.health_timeout_ms,
                                                   .settings = health_settings(row)});
    while (group.nodes.size() < config::nodes_of(row).size()) group.nodes.push_back((target++)->get());
  }
  Result<std::unique_ptr<upstream::Watch>> watch = upstream::Watch::start(std::move(groups), log_as("node_health"));
  if (!watch) return std::unexpected(watch.error());
  node_watch_ = std::move(*watch);
  return {};
}

// After a reload: a listener or a route may serve another upstream, or in another mode.
void Server::ask_nodes_by(const config::Config& next) {
  const std::vector<bool> nodes = speak_rpc(next);
  for (std::size_t node = 0; node < nodes.size(); ++node) offers_->ask_of(node, nodes[node]);
  for (std::size_t group = 0; group < next.upstreams.size(); ++group) {
    node_watch_->set_speaks_rpc(group, config::serves_rpc(next, group));
  }
}

std::vector<admin::NodeRow> Server::node_rows() const {
  const std::uint64_t now_ns = steady_now_ns();
  std::vector<admin::NodeRow> rows;
  for (upstream::NodeReport& node : node_watch_->report(now_ns)) {
    const upstream::NodeHealth& health = node.health;
    rows.push_back(
        {.name = node.target.name(),
         .upstream = std::move(node.upstream),
         .places_taken = node.places_taken,
         .places_max = node.target.connections_max(),
         .is_healthy = node.is_healthy,
         .state = upstream::state_word(health, now_ns),
         .ejected_left_ns = health.ejected_until_ns > now_ns ? health.ejected_until_ns - now_ns : 0,
         .block_age_ns = health.best ? std::optional(now_ns - std::min(now_ns, health.grew_ns)) : std::nullopt,
         .health = std::move(node.health)});
  }
  return rows;
}

// Of one upstream, or where none is named of all: then one whose nodes are all down does not take the others' clients
// away. Clients are served all the same: another Ringwall may have better nodes.
admin::Readiness Server::nodes_readiness(std::string_view upstream) const {
  const std::shared_ptr<const upstream::Health> health = node_watch_->health().newest();
  const std::uint64_t now_ns = steady_now_ns();
  std::string known, without;
  bool is_known = upstream.empty(), is_ready = upstream.empty() && health->is_ready(now_ns);
  const auto append = [](std::string& list, const std::string& name) { list += (list.empty() ? "" : ", ") + name; };
  for (std::size_t group = 0; group < health->groups.size(); ++group) {
    const std::string& name = health->groups[group].name;
    const bool has_one = health->has_healthy_node(group, now_ns);
    append(known, name);
    if (!upstream.empty() && name != upstream) continue;
    if (!has_one) append(without, name);
    is_ready = is_ready || has_one;
    is_known = true;
  }
  if (!is_known) return {.ready = false, .why = "there is no such upstream, but " + known, .is_known = false};
  return {.ready = is_ready, .why = without.empty() ? "" : "no healthy node: " + without};
}

}  // namespace ringwall::server
