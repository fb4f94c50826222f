#include <ringwall/server/announce.h>

#include <ringwall/config/route.h>
#include <ringwall/rpc/methods.h>
#include <ringwall/session/guard.h>
#include <ringwall/shard/shard.h>

#include <fmt/core.h>

#include <algorithm>
#include <string_view>

namespace ringwall::server {

namespace {

std::string in_mib(std::size_t bytes) { return fmt::format("{} MiB", (bytes + (1 << 20) - 1) >> 20); }

std::string counted(std::size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

// The name that a client on this machine, or the first certificate's owner, would use.
std::string authority(const config::Listener& listener) {
  if (!listener.public_name.empty()) return listener.public_name;
  std::string host = listener.self_signed.empty() ? listener.address.host : listener.self_signed.front();
  const bool any = host.empty() || host == "0.0.0.0" || host == "::";
  if (any || host == "127.0.0.1") host = "localhost";
  if (host.find(':') != std::string::npos) host = "[" + host + "]";
  const bool is_default_port = listener.address.port == (listener.kind == config::ListenerKind::tls ? 443 : 80);
  return is_default_port ? host : fmt::format("{}:{}", host, listener.address.port);
}

std::string_view scheme(const config::Listener& listener) {
  switch (listener.kind) {
    case config::ListenerKind::tls:
      return "wss";
    case config::ListenerKind::plain:
      return "ws";
    case config::ListenerKind::redirect:
      return "http";
  }
  return "";
}

std::string addresses_text(const config::Upstream& upstream) {
  std::string text;
  for (const config::Endpoint& node : config::nodes_of(upstream)) text += (text.empty() ? "" : ", ") + to_text(node);
  return text;
}

std::string listener_line(const config::Config& config, const config::Listener& listener) {
  std::string line =
      fmt::format("  {}://{} on {}", scheme(listener), authority(listener), config::to_text(listener.address));
  if (listener.kind == config::ListenerKind::redirect) {
    line += listener.acme_webroot.empty() ? ": redirects to https"
                                          : ": redirects to https, ACME challenges from " + listener.acme_webroot;
    return line + "\n";
  }
  const config::Upstream& node = config.upstreams[listener.upstream_index];
  line += fmt::format(" -> {} at {}", node.name, addresses_text(node));
  if (listener.mode == config::Mode::tunnel) line += ", tunnel";
  if (!listener.routes.empty()) line += fmt::format(", {}", counted(listener.routes.size(), "route"));
  return line + "\n";
}

// Empty: operators cannot reach it.
std::string admin_line(const config::Admin& admin) {
  std::string places = admin.address.port == 0 ? "" : "http://" + config::to_text(admin.address);
  if (!admin.socket.empty()) places += (places.empty() ? "" : ", ") + admin.socket;
  return places.empty() ? "" : fmt::format("  admin: {}\n", places);
}

// Of the known unsafe methods those that methods.allow lets pass.
std::string unsafe_text(const config::Methods& methods) {
  const Result<rpc::MethodTable> table = rpc::MethodTable::make(session::method_settings(methods));
  RINGWALL_CHECK(table.has_value());
  std::size_t passing = 0;
  std::string_view first;
  for (const rpc::Method& method : rpc::known_methods()) {
    if (method.safety != rpc::Safety::unsafe_ || table->verdict_on(method.name) != rpc::Verdict::allowed) continue;
    if (passing++ == 0) first = method.name;
  }
  if (passing == 0) return "";
  return fmt::format("  WARNING: methods.allow lets {} of the known unsafe methods pass, such as {}\n", passing, first);
}

std::string methods_text(const config::Methods& methods) {
  switch (methods.policy) {
    case rpc::Policy::safe:
      return fmt::format("  methods: the known safe ones, {} more allowed, {} denied (methods.allow, methods.deny)\n",
                         methods.allow.size(), methods.deny.size()) +
             unsafe_text(methods);
    case rpc::Policy::open:
      return fmt::format("  methods: all but the known unsafe ones, {} of them allowed, {} denied\n",
                         methods.allow.size(), methods.deny.size()) +
             unsafe_text(methods);
    case rpc::Policy::all:
      break;
  }
  return "  WARNING: methods.policy is all: whoever reaches this endpoint can call every method that the node allows,\n"
         "  those that change its keys and peers too.\n";
}

std::string number(std::uint64_t value) { return value == 0 ? "any number of" : fmt::format("{}", value); }

std::string rate(std::string_view what, std::uint64_t per_second, std::uint64_t burst) {
  return per_second == 0 ? fmt::format("any number of {}", what)
                         : fmt::format("{} {}/s ({} at once)", per_second, what, burst);
}

std::string limits_text(const config::Limits& limits) {
  if (limits.enabled == config::Switch::off) return "  limits: off; all is counted\n";
  return fmt::format(
      "  limits of one address: {}, {} connections, {}, {} subscriptions\n"
      "  limits of one connection: {}, {} subscriptions, {} calls in flight, {} calls a batch\n"
      "  limits of the machine: {}; of a shard: {} handshakes under way\n",
      rate("units", limits.address_units_per_s, limits.address_units_burst), number(limits.address_connections_max),
      rate("new ones", limits.address_new_connections_per_s, limits.address_new_connections_burst),
      number(limits.address_subscriptions_max),
      rate("units", limits.connection_units_per_s, limits.connection_units_burst),
      number(limits.connection_subscriptions_max), number(limits.connection_calls_in_flight_max),
      number(limits.batch_calls_max), rate("units", limits.machine_units_per_s, limits.machine_units_burst),
      number(limits.handshakes_max));
}

}  // namespace

std::string announcement(const config::Config& config, const Bounds& bounds, std::size_t shards,
                         std::string_view offload) {
  std::string text = fmt::format("ringwall {} is serving with {}:\n", RINGWALL_VERSION, counted(shards, "shard"));
  for (const config::Listener& listener : config.listeners) text += listener_line(config, listener);
  text += admin_line(config.admin);
  text += offload;
  text += fmt::format(
      "  bounds: {} a shard ({} open files), a message {}, a body {}, a head {} bytes\n"
      "  memory: at most {} in all: a shard {} (buffers {} x {}, arena {}, backlog {}, assembly {}), a client {} KiB, "
      "the table of addresses {}\n"
      "  one address: at most {} of a shard's backlog, {} of its assembly\n",
      counted(bounds.connections_per_shard, "client"), bounds.open_files, in_mib(config.limits.message_bytes_max),
      in_mib(config.limits.body_bytes_max), config.limits.head_bytes_max, in_mib(bounds.total_bytes),
      in_mib(bounds.shard_bytes), config.server.buffers_per_shard, config.server.buffer_bytes,
      in_mib(bounds.arena_bytes), in_mib(config.server.backlog_bytes_max), in_mib(config.server.assembly_bytes_max),
      (bounds.connection_bytes + 1023) / 1024, in_mib(bounds.table_bytes),
      in_mib(shard::backlog_bytes_per_address_max(config.server)),
      in_mib(config.server.assembly_bytes_per_address_max));
  for (const config::Listener& listener : config.listeners) {
    if (listener.proxy_protocol != config::ProxyProtocol::required || !listener.trusted_proxies.empty()) continue;
    text += fmt::format(
        "  WARNING: {} believes the PROXY header of whoever connects: name the balancers in "
        "listener.trusted_proxies.\n",
        config::to_text(listener.address));
  }
  if (bounds.open_files_wanted > bounds.open_files) {
    text += fmt::format(
        "  WARNING: server.connections_max is {}, but {} open files allow only {}. For all, allow {} files: ulimit -n, "
        "or LimitNOFILE= of systemd.\n",
        config.server.connections_max, bounds.open_files, bounds.connections_per_shard, bounds.open_files_wanted);
  }
  bool speaks_rpc = false;
  for (std::size_t index = 0; index < config.upstreams.size(); ++index) speaks_rpc |= config::serves_rpc(config, index);
  if (speaks_rpc) text += methods_text(config.methods);
  return text + limits_text(config.limits);
}

}  // namespace ringwall::server
