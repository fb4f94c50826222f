#include <ringwall/config/validate.h>

#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <fmt/core.h>

#include <ringwall/config/address.h>
#include <ringwall/config/files.h>
#include <ringwall/config/schema.h>
#include <ringwall/config/suggestion.h>
#include <ringwall/config/value.h>

namespace ringwall::config {
namespace {

constexpr std::uint16_t https_port = 443;
constexpr std::uint16_t http_port = 80;
// unix(7), and room for the name that it is made under (admin/unix_socket.h).
constexpr std::size_t socket_path_bytes_max = sizeof(sockaddr_un::sun_path) - 10;

std::string_view variable(const Sources& sources, std::string_view name) {
  for (const auto& [key, value] : sources.environment) {
    if (key == name) {
      return value;
    }
  }
  return "";
}

// systemd.exec(5) sets STATE_DIRECTORY, a list; the XDG base directory specification has the rest.
std::string default_state_dir(const Sources& sources) {
  if (const std::string_view given = variable(sources, "STATE_DIRECTORY"); !given.empty()) {
    return std::string(given.substr(0, given.find(':')));
  }
  if (::geteuid() == 0) {
    return "/var/lib/ringwall";
  }
  if (const std::string_view state = variable(sources, "XDG_STATE_HOME"); state.starts_with('/')) {
    return std::string(state) + "/ringwall";
  }
  if (const std::string_view home = variable(sources, "HOME"); home.starts_with('/')) {
    return std::string(home) + "/.local/state/ringwall";
  }
  return "/var/lib/ringwall";
}

// As above: RUNTIME_DIRECTORY.
std::string default_admin_socket(const Sources& sources) {
  const std::string_view given = variable(sources, "RUNTIME_DIRECTORY");
  return given.empty() ? std::string() : std::string(given.substr(0, given.find(':'))) + "/admin.sock";
}

class Validation {
 public:
  Validation(const Sources& sources, Config& config, Ledger& ledger)
      : sources_(sources), config_(config), ledger_(ledger) {}

  void run() {
    check_server();
    check_limits();
    check_rates();
    check_addresses_known();
    check_upstreams();
    for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
      check_listener(config_.listeners[i], fmt::format("listener[{}]", i));
    }
    check_addresses();
    check_loops();
    check_offload();
  }

 private:
  void check_server() {
    Server& server = config_.server;
    if (server.state_dir.empty()) {
      server.state_dir = default_state_dir(sources_);
    }
    if (config_.admin.socket.empty()) {
      config_.admin.socket = default_admin_socket(sources_);
    }
    if (config_.admin.socket.size() > socket_path_bytes_max) {
      ledger_.report("admin.socket", quoted(config_.admin.socket),
                     fmt::format("a path of at most {} bytes", socket_path_bytes_max));
    }
    if (!std::has_single_bit(server.buffers_per_shard)) {
      ledger_.report("server.buffers_per_shard", fmt::format("{}", server.buffers_per_shard),
                     fmt::format("a power of two such as {}", std::bit_ceil(server.buffers_per_shard)));
    }
    if (!server.group.empty() && server.user.empty()) {
      ledger_.report("server.group", quoted(server.group), "server.user with it");
    }
    if (sources_.check_files && !server.user.empty() && !user_exists(server.user)) {
      ledger_.report("server.user", quoted(server.user), "an account of this machine");
    }
    if (sources_.check_files && !server.group.empty() && !group_exists(server.group)) {
      ledger_.report("server.group", quoted(server.group), "a group of this machine");
    }
  }

  void check_limits() {
    const Server& server = config_.server;
    const Limits& limits = config_.limits;
    at_least_bytes("server.assembly_bytes_per_address_max", server.assembly_bytes_per_address_max,
                   "limits.message_bytes_max", limits.message_bytes_max);
    at_least_bytes("server.assembly_bytes_per_address_max", server.assembly_bytes_per_address_max,
                   "limits.body_bytes_max", limits.body_bytes_max);
    at_least_bytes("server.assembly_bytes_max", server.assembly_bytes_max, "server.assembly_bytes_per_address_max",
                   server.assembly_bytes_per_address_max);
    const Timeouts& timeouts = config_.timeouts;
    if (timeouts.dead_after_ms <= timeouts.ping_interval_ms) {
      ledger_.report("timeouts.dead_after_ms", number_text(timeouts.dead_after_ms, Unit::milliseconds),
                     fmt::format("more than timeouts.ping_interval_ms, which is {}",
                                 number_text(timeouts.ping_interval_ms, Unit::milliseconds)));
    }
  }

  // A rate and its burst are both there or neither.
  void check_rates() {
    const Limits& limits = config_.limits;
    const std::tuple<std::string_view, std::uint64_t, std::uint64_t> rates[] = {
        {"address_units", limits.address_units_per_s, limits.address_units_burst},
        {"address_new_connections", limits.address_new_connections_per_s, limits.address_new_connections_burst},
        {"network_units", limits.network_units_per_s, limits.network_units_burst},
        {"network_new_connections", limits.network_new_connections_per_s, limits.network_new_connections_burst},
        {"connection_units", limits.connection_units_per_s, limits.connection_units_burst},
        {"machine_units", limits.machine_units_per_s, limits.machine_units_burst},
    };
    for (const auto& [name, per_second, burst] : rates) {
      const std::string rate_field = fmt::format("limits.{}_per_s", name);
      const std::string burst_field = fmt::format("limits.{}_burst", name);
      if ((per_second == 0) == (burst == 0) || !ledger_.is_sound(rate_field) || !ledger_.is_sound(burst_field)) {
        continue;
      }
      const std::string& none = per_second == 0 ? rate_field : burst_field;
      const std::string& other = per_second == 0 ? burst_field : rate_field;
      ledger_.report(ledger_.is_written(none) ? none : other, "one of the two without a limit",
                     fmt::format("a number for both {} and {}, or \"none\" for both", rate_field, burst_field));
    }
  }

  void check_addresses_known() {
    const Limits& limits = config_.limits;
    for (const auto& [name, network_bits, address_bits] :
         {std::tuple{"ipv4", limits.ipv4_network_bits, limits.ipv4_address_bits},
          std::tuple{"ipv6", limits.ipv6_network_bits, limits.ipv6_address_bits}}) {
      if (network_bits >= address_bits) {
        ledger_.report(fmt::format("limits.{}_network_bits", name), fmt::format("{}", network_bits),
                       fmt::format("less than limits.{}_address_bits, which is {}", name, address_bits));
      }
    }
    for (const auto& [name, entries] :
         {std::pair{"address_entries", limits.address_entries}, std::pair{"network_entries", limits.network_entries}}) {
      if (!std::has_single_bit(entries)) {
        ledger_.report(fmt::format("limits.{}", name), fmt::format("{}", entries),
                       fmt::format("a power of two such as {}", std::bit_ceil(entries)));
      }
    }
  }

  void at_least_bytes(const std::string& field, std::uint64_t bytes, const std::string& other, std::uint64_t minimum) {
    if (bytes < minimum && ledger_.is_sound(field) && ledger_.is_sound(other)) {
      ledger_.report(field, number_text(bytes, Unit::bytes),
                     fmt::format("at least {}, which is {}", other, number_text(minimum, Unit::bytes)));
    }
  }

  void check_upstreams() {
    for (std::size_t i = 0; i < config_.upstreams.size(); ++i) {
      const std::string& name = config_.upstreams[i].name;
      const std::string field = fmt::format("upstream[{}].name", i);
      if (name.empty()) {
        ledger_.report(field, quoted(name), "a name");
      } else if (ledger_.is_sound(field) && std::ranges::find(upstream_names_, name) != upstream_names_.end()) {
        ledger_.report(field, quoted(name) + " a second time", "a name of its own");
      }
      upstream_names_.push_back(name);
      check_nodes(config_.upstreams[i], fmt::format("upstream[{}]", i));
    }
  }

  void check_nodes(const Upstream& upstream, const std::string& path) {
    const std::string field = path + ".addresses";
    for (auto at = upstream.addresses.begin(); at != upstream.addresses.end() && ledger_.is_sound(field); ++at) {
      if (std::find(upstream.addresses.begin(), at, *at) != at) {
        return ledger_.report(field, quoted(to_text(*at)) + " a second time", "each node once");
      }
    }
  }

  void check_listener(Listener& listener, const std::string& path) {
    if (listener.address == Endpoint{}) {
      listener.address.port = listener.kind == ListenerKind::tls ? https_port : http_port;
    }
    if (listener.upstream.empty()) {
      listener.upstream = config_.upstreams.front().name;
    }
    resolve_upstream(path + ".upstream", listener.upstream, listener.upstream_index);
    for (std::size_t i = 0; i < listener.certificates.size(); ++i) {
      check_certificate(listener.certificates[i], fmt::format("{}.certificate[{}]", path, i));
    }
    for (std::size_t i = 0; i < listener.routes.size(); ++i) {
      check_route(listener, i, fmt::format("{}.route[{}]", path, i));
    }
    check_kind(listener, path);
    if (sources_.check_files && !listener.acme_webroot.empty() && ledger_.is_sound(path + ".acme_webroot")) {
      if (std::optional<std::string> found = unreadable_folder(listener.acme_webroot)) {
        ledger_.report(path + ".acme_webroot", std::move(*found), "a folder that can be read");
      }
    }
  }

  // What a kind needs, and what it has no use for.
  void check_kind(const Listener& listener, const std::string& path) {
    if (!ledger_.is_sound(path + ".kind") || !ledger_.is_sound("listener")) {
      return;
    }
    const bool has_certificate = !listener.certificates.empty() || !listener.self_signed.empty();
    const std::string kind = kind_text(listener.kind);
    if (listener.kind == ListenerKind::tls && !has_certificate && ledger_.is_sound(path + ".self_signed") &&
        ledger_.is_sound(path + ".certificate[0]")) {
      ledger_.report(path, "no certificate",
                     "[[listener.certificate]] or --cert and --key, self_signed or --self-signed, or kind plain");
    }
    if (listener.kind != ListenerKind::tls && has_certificate) {
      const std::string field = path + (listener.certificates.empty() ? ".self_signed" : ".certificate[0]");
      ledger_.report(field, "a certificate", fmt::format("none on a listener of kind {}, or kind tls", kind));
    }
    if (listener.kind != ListenerKind::redirect && !listener.acme_webroot.empty()) {
      ledger_.report(path + ".acme_webroot", quoted(listener.acme_webroot), "a listener of kind redirect for it");
    }
    if (listener.kind == ListenerKind::redirect) {
      for (const char* name : {".mode", ".host", ".upstream", ".origins", ".route[0]"}) {
        refuse_on_redirect(path + name);
      }
      // They also say whose PROXY header is believed.
      if (listener.proxy_protocol == ProxyProtocol::off) {
        refuse_on_redirect(path + ".trusted_proxies");
      }
    }
  }

  void refuse_on_redirect(const std::string& field) {
    if (ledger_.is_written(field)) {
      ledger_.report(field, "a setting of a proxy", "none on a listener of kind redirect");
    }
  }

  void check_certificate(const Certificate& certificate, const std::string& path) {
    check_readable(path + ".cert", certificate.cert, true);
    check_readable(path + ".key", certificate.key, true);
    check_readable(path + ".ocsp", certificate.ocsp, false);
    if (sources_.judge_certificate && ledger_.is_sound(path + ".cert") && ledger_.is_sound(path + ".key") &&
        ledger_.is_sound(path + ".ocsp")) {
      if (std::optional<CertificateProblem> problem = sources_.judge_certificate(certificate)) {
        ledger_.report(path + "." + problem->field, std::move(problem->found), std::move(problem->expected));
      }
    }
  }

  // As the start does: only where a listener speaks TLS is the kernel needed.
  void check_offload() {
    const bool speaks_tls = std::ranges::any_of(
        config_.listeners, [](const Listener& listener) { return listener.kind == ListenerKind::tls; });
    if (!speaks_tls || config_.tls.offload != Offload::kernel || !sources_.judge_kernel_tls) return;
    if (std::optional<ValueProblem> problem = sources_.judge_kernel_tls()) {
      ledger_.report("tls.offload", std::move(problem->found), std::move(problem->expected));
    }
  }

  void check_readable(const std::string& field, const std::string& file, bool required) {
    if (!ledger_.is_sound(field)) {
      return;
    }
    if (file.empty()) {
      if (required) {
        ledger_.report(field, "nothing", "a PEM file; cert and key come together");
      }
    } else if (sources_.check_files) {
      if (std::optional<std::string> found = unreadable_file(file)) {
        ledger_.report(field, std::move(*found), "a file that can be read");
      }
    }
  }

  void check_route(Listener& listener, std::size_t index, const std::string& path) {
    Route& route = listener.routes[index];
    if (route.upstream.empty()) {
      route.upstream = listener.upstream;
      route.upstream_index = listener.upstream_index;
    } else {
      resolve_upstream(path + ".upstream", route.upstream, route.upstream_index);
    }
    if (listener.kind != ListenerKind::tls && !route.sni.empty()) {
      ledger_.report(path + ".sni", quoted(route.sni), "none without TLS");
    }
    const auto same = [&route](const Route& other) { return other.sni == route.sni && other.path == route.path; };
    const auto end = listener.routes.begin() + static_cast<std::ptrdiff_t>(index);
    const bool sound = ledger_.is_sound(path + ".sni") && ledger_.is_sound(path + ".path");
    if (sound && std::find_if(listener.routes.begin(), end, same) != end) {
      ledger_.report(path, "the sni and path of an earlier route", "a route that can be reached");
    }
  }

  void resolve_upstream(const std::string& field, const std::string& name, std::size_t& index) {
    const auto found = std::ranges::find(upstream_names_, name);
    if (found != upstream_names_.end()) {
      index = static_cast<std::size_t>(found - upstream_names_.begin());
    } else if (ledger_.is_sound(field)) {
      const std::optional<std::string> similar = nearest(name, upstream_names_);
      ledger_.report(field, quoted(name),
                     "the name of an [[upstream]]" + (similar ? fmt::format(", {} perhaps", quoted(*similar)) : ""));
    }
  }

  void check_addresses() {
    for (std::size_t i = 0; i < config_.listeners.size() && config_.admin.address.port != 0; ++i) {
      if (ledger_.is_sound("admin.address") && ledger_.is_sound(fmt::format("listener[{}].address", i)) &&
          collide(config_.admin.address, config_.listeners[i].address)) {
        ledger_.report("admin.address", quoted(to_text(config_.admin.address)),
                       fmt::format("an address of its own; listener[{}] has {}", i,
                                   quoted(to_text(config_.listeners[i].address))));
      }
    }
    for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
      const std::string field = fmt::format("listener[{}].address", i);
      for (std::size_t j = 0; j < i && ledger_.is_sound(field); ++j) {
        if (ledger_.is_sound(fmt::format("listener[{}].address", j)) &&
            collide(config_.listeners[i].address, config_.listeners[j].address)) {
          ledger_.report(field, quoted(to_text(config_.listeners[i].address)),
                         fmt::format("an address of its own; listener[{}] has {}", j,
                                     quoted(to_text(config_.listeners[j].address))));
        }
      }
    }
  }

  // "*" takes the place of 0.0.0.0 and [::]. With SO_REUSEPORT the kernel would not complain, and share clients out.
  static bool collide(const Endpoint& a, const Endpoint& b) {
    const auto any = [](const std::string& host) { return host.empty() || host == "0.0.0.0" || host == "::"; };
    const bool overlap = (a.host.empty() && any(b.host)) || (b.host.empty() && any(a.host));
    return a.port == b.port && (a.host == b.host || overlap);
  }

  // A client would go round in it until nothing is left.
  void check_loops() {
    for (std::size_t i = 0; i < config_.upstreams.size(); ++i) {
      const bool is_one = config_.upstreams[i].addresses.empty();
      for (const Endpoint& node : nodes_of(config_.upstreams[i])) {
        check_loop(fmt::format("upstream[{}].{}", i, is_one ? "address" : "addresses"), node);
      }
    }
  }

  void check_loop(const std::string& field, const Endpoint& node) {
    for (std::size_t j = 0; j < config_.listeners.size() && ledger_.is_sound(field); ++j) {
      const Endpoint& listener = config_.listeners[j].address;
      if (ledger_.is_sound(fmt::format("listener[{}].address", j)) && leads_to(node, listener)) {
        ledger_.report(field, quoted(to_text(node)),
                       fmt::format("the node's own address; listener[{}] has {}", j, quoted(to_text(listener))));
      }
    }
  }

  // Whether a connection to `node` may end at `listener`. To an unspecified address the kernel goes over loopback.
  static bool leads_to(const Endpoint& node, const Endpoint& listener) {
    std::vector<std::string> hosts{node.host};
    if (node.host == "localhost" || node.host == "0.0.0.0") hosts.emplace_back("127.0.0.1");
    if (node.host == "localhost" || node.host == "::") hosts.emplace_back("::1");
    const auto is_taken = [&listener](const std::string& host) {
      const bool is_v4_loopback = host.starts_with("127.") && parse_ip(host);
      return listener.host == host || (is_v4_loopback && (listener.host.empty() || listener.host == "0.0.0.0")) ||
             (host == "::1" && (listener.host.empty() || listener.host == "::"));
    };
    return node.port == listener.port && std::ranges::any_of(hosts, is_taken);
  }

  static std::string kind_text(ListenerKind kind) { return value_text(kind, Row{}); }

  const Sources& sources_;
  Config& config_;
  Ledger& ledger_;
  std::vector<std::string> upstream_names_;  // By index, also those with a problem.
};

}  // namespace

void validate(const Sources& sources, Config& config, Ledger& ledger) { Validation(sources, config, ledger).run(); }

}  // namespace ringwall::config
