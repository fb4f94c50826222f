// config.h: what Ringwall was told to do, as plain values.
//
// Made by load() (load.h), then only read. Every shard has a copy, and at a reload another one. Each member is one row
// of the schema (schema.cc), and its default stands here and nowhere else. Names end in their unit. After load() every
// value is within the schema's bounds, every name is resolved, and nothing is left empty that has to be there.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <ringwall/limits.h>
#include <ringwall/log/level.h>
#include <ringwall/rpc/method_table.h>

namespace ringwall::config {

// What speaks on a listener's port. redirect: plain HTTP that only points to https and serves acme_webroot.
enum class ListenerKind : std::uint8_t { tls, plain, redirect };

// rpc: JSON-RPC over WebSocket frames and HTTP POST. tunnel: bytes both ways after a verified 101 (p2p /ws).
enum class Mode : std::uint8_t { rpc, tunnel };

// automatic: the Host that the node's filter accepts ("localhost:PORT"). preserve: the client's own.
enum class HostHeader : std::uint8_t { automatic, preserve };

// required: every connection begins with a PROXY header, which names its client.
enum class ProxyProtocol : std::uint8_t { off, required };

// Who makes and opens TLS records after the handshake. automatic: whichever takes less of the CPU here.
enum class Offload : std::uint8_t { automatic, kernel, user };

// What a WebSocket is closed with when Ringwall stops: 1001, or 1012.
enum class DrainCode : std::uint8_t { going_away, service_restart };

enum class Switch : std::uint8_t { on, off };

// Which of the nodes that are equally well a client gets. hash: by its address, always the same while that one is well.
enum class Balance : std::uint8_t { least_connections, hash };

// What becomes of a call over a rate. delay: it is kept back for a while, and its client not read.
enum class OverRate : std::uint8_t { reject, delay };

// By whom Ringwall is steered over the admin interface. loopback: also by HTTP from this machine.
enum class Changes : std::uint8_t { loopback, socket };

// A place to bind or to connect to. `host` is an IPv4 or IPv6 literal without brackets; of an upstream it may be a DNS
// name; of a listener it is empty for "*": every address, of IPv4 and IPv6.
struct Endpoint {
  std::string host;
  std::uint16_t port = 0;

  friend bool operator==(const Endpoint&, const Endpoint&) = default;
};

// "ADDR:PORT" with brackets around an IPv6 address, "*:PORT" for an empty host.
[[nodiscard]] std::string to_text(const Endpoint& endpoint);

// A range of addresses. IPv4 is held mapped into IPv6 (::ffff:0:0/96), so that one comparison serves both.
struct Cidr {
  std::array<std::uint8_t, 16> address{};
  std::uint8_t prefix_bits = 128;

  // `other` is an IPv6 address in network order, IPv4 mapped.
  [[nodiscard]] bool contains(const std::array<std::uint8_t, 16>& other) const;
  friend bool operator==(const Cidr&, const Cidr&) = default;
};

// "10.0.0.0/8" or "fd00::/8".
[[nodiscard]] std::string to_text(const Cidr& cidr);

// PEM files: the chain with the leaf first, its private key, and optionally a DER OCSP response to staple.
struct Certificate {
  std::string cert;
  std::string key;
  std::string ocsp;

  friend bool operator==(const Certificate&, const Certificate&) = default;
};

// The first route whose sni and path both match decides (see route.h).
struct Route {
  std::string sni;             // "" any; "rpc.example.com" exact; "*.example.com" exactly one label more. Lower case.
  std::string path;            // "" any; "/ws" exact, without the query; "/ws*" every path that begins with /ws.
  std::string upstream;        // A name of Config::upstreams.
  std::optional<Mode> mode{};  // None: the listener's.
  std::size_t upstream_index = 0;  // Of `upstream` in Config::upstreams; load() fills it in.

  friend bool operator==(const Route&, const Route&) = default;
};

struct Listener {
  Endpoint address{};  // Given as empty: *:443 for tls, *:80 for plain and redirect; load() fills it in.
  ListenerKind kind = ListenerKind::tls;
  std::vector<Certificate> certificates{};
  std::vector<std::string>
      self_signed{};  // DNS names and IP addresses of one certificate that Ringwall makes and keeps.
  Mode mode = Mode::rpc;
  HostHeader host = HostHeader::automatic;
  std::string upstream{};     // Where no route matches; load() turns "" into the first upstream's name.
  std::string public_name{};  // "host" or "host:port" for the page and the redirect; "": the request's Host.
  ProxyProtocol proxy_protocol = ProxyProtocol::off;
  std::vector<Cidr> trusted_proxies{};  // Whose X-Forwarded-For is believed, and whose PROXY header; empty: anyone's.
  std::vector<std::string> origins{};   // Of web pages that may ask, as browsers write them; empty: any.
  std::string acme_webroot{};           // redirect only: the folder that holds .well-known/acme-challenge.
  std::vector<Route> routes{};
  std::size_t upstream_index = 0;  // Of `upstream` in Config::upstreams; load() fills it in.

  friend bool operator==(const Listener&, const Listener&) = default;
};

// The nodes of one chain, any of which can serve a client.
struct Upstream {
  std::string name{"node"};
  Endpoint address{"127.0.0.1", 9944};  // The one node, where `addresses` is empty.
  std::vector<Endpoint> addresses{};    // Several.
  Balance balance = Balance::least_connections;
  std::uint32_t resolve_interval_s = 30;  // How long an answer of DNS is used.
  std::uint32_t connections_max = 0;      // To each node, over all shards; 0: no cap.
  std::uint32_t pool_idle_max = 32;       // Idle connections kept for POST, a node and a shard.
  std::uint32_t pool_idle_timeout_ms = 30'000;
  std::uint32_t health_interval_ms = 5'000;  // Between two rounds of questions; 0: none is asked.
  std::uint32_t health_timeout_ms = 3'000;   // Of a round.
  std::uint32_t health_fall = 2;             // Bad rounds in a row that take a node out.
  std::uint32_t health_rise = 2;             // Good ones that take it in again.
  std::uint32_t health_peers_min = 1;        // Of a node that should have peers.
  std::uint32_t health_lag_blocks_max = 20;  // Behind the best of the other nodes; 0: any.
  std::uint32_t health_block_age_max_s = 0;  // Since the best block last changed; 0: any.
  std::uint32_t eject_failures = 3;          // Failures in a row, of clients' requests; 0: never.
  std::uint32_t eject_ms = 10'000;           // The first time; twice as long each time it follows soon.
  std::uint32_t eject_ms_max = 300'000;

  friend bool operator==(const Upstream&, const Upstream&) = default;
};

// Where its nodes are: never none.
[[nodiscard]] std::vector<Endpoint> nodes_of(const Upstream& upstream);

struct Server {
  std::uint32_t shards = 0;  // 0: one for each core that this process may use.
  std::string user{};        // To become after binding; "": stay who we are.
  std::string group{};       // "": the user's own group.
  Switch confine = Switch::on;
  std::string state_dir{};  // Keeps self-signed certificates; load() fills in where the platform keeps such things.
  DrainCode drain_code = DrainCode::going_away;
  std::uint32_t buffers_per_shard = 64;  // A power of two (io_uring_register_buf_ring(3)).
  std::uint32_t buffer_bytes = 16'384;
  std::uint64_t backlog_bytes_max = 64ULL << 20;               // A shard.
  std::uint64_t assembly_bytes_max = 128ULL << 20;             // A shard.
  std::uint64_t assembly_bytes_per_address_max = 32ULL << 20;  // Of assembly_bytes_max, for one client address.
  std::uint32_t connections_max = 0;                           // Clients a shard; 0: what RLIMIT_NOFILE allows.
  std::uint32_t handshakes_per_turn = 8;

  friend bool operator==(const Server&, const Server&) = default;
};

// Lines on standard error. Rates are a shard's, and of each reason.
struct Log {
  log::Level level = log::Level::info;
  log::Format format = log::Format::text;
  std::uint32_t sessions_per_s = 10;  // 0: ended sessions are not told.
  std::uint32_t denials_per_s = 1;    // 0: denied calls are not told.

  friend bool operator==(const Log&, const Log&) = default;
};

// Which JSON-RPC methods may be called (rpc/method_table.h).
struct Methods {
  rpc::Policy policy = rpc::Policy::safe;
  std::vector<std::string> allow{};
  std::vector<std::string> deny{};
  std::uint32_t cheap_units = 1;
  std::uint32_t normal_units = 5;
  std::uint32_t heavy_units = 20;
  std::vector<std::string> costs{};  // "METHOD=UNITS"
  std::vector<std::string> runtime_apis{};

  friend bool operator==(const Methods&, const Methods&) = default;
};

// Numbers after head_bytes_max: 0 is no limit (quota/limits.h).
struct Limits {
  std::uint64_t message_bytes_max = 16ULL << 20;        // A client's WebSocket message.
  std::uint64_t body_bytes_max = 16ULL << 20;           // A client's HTTP body.
  std::uint32_t head_bytes_max = http::head_bytes_max;  // A request's or a response's head.
  Switch enabled = Switch::on;
  OverRate action = OverRate::reject;
  std::uint32_t delay_ms_max = 2'000;
  std::uint32_t close_after = 1'000;
  std::uint64_t address_units_per_s = 1'000;
  std::uint64_t address_units_burst = 10'000;
  std::uint32_t address_connections_max = 50;
  std::uint64_t address_new_connections_per_s = 20;
  std::uint64_t address_new_connections_burst = 100;
  std::uint32_t address_subscriptions_max = 4'096;
  std::uint64_t network_units_per_s = 4'000;
  std::uint64_t network_units_burst = 40'000;
  std::uint32_t network_connections_max = 500;
  std::uint64_t network_new_connections_per_s = 100;
  std::uint64_t network_new_connections_burst = 500;
  std::uint32_t network_subscriptions_max = 16'384;
  std::uint64_t connection_units_per_s = 500;
  std::uint64_t connection_units_burst = 5'000;
  std::uint32_t connection_subscriptions_max = 1'024;
  std::uint32_t connection_calls_in_flight_max = 512;
  std::uint32_t batch_calls_max = 100;
  std::uint64_t machine_units_per_s = 50'000;
  std::uint64_t machine_units_burst = 100'000;
  std::uint32_t handshakes_max = 1'024;  // A shard.
  std::uint32_t request_bytes_per_unit = 16 * 1024;
  std::uint32_t answer_bytes_per_unit = 0;
  std::vector<Cidr> exempt{};
  std::vector<Cidr> allow{};  // Empty: everyone.
  std::vector<Cidr> deny{};
  std::uint32_t ipv4_address_bits = 32;
  std::uint32_t ipv6_address_bits = 64;
  std::uint32_t ipv4_network_bits = 0;
  std::uint32_t ipv6_network_bits = 48;
  std::uint32_t address_entries = 1U << 16;
  std::uint32_t network_entries = 1U << 14;

  friend bool operator==(const Limits&, const Limits&) = default;
};

struct Timeouts {
  std::uint32_t handshake_ms = 10'000;   // Accept to the end of the TLS handshake.
  std::uint32_t head_ms = 10'000;        // A request head, first byte to last.
  std::uint32_t body_ms = 60'000;        // A request body, and more for what has come (limits.h).
  std::uint32_t message_ms = 60'000;     // A client's message, and more for what has come.
  std::uint32_t connect_ms = 5'000;      // To the node, over all its addresses.
  std::uint32_t response_ms = 300'000;   // The node's silence, from a request's end or between two bytes of its answer.
  std::uint32_t send_ms = 60'000;        // A reader that takes no byte of what waits for it.
  std::uint32_t keep_alive_ms = 75'000;  // Between two requests of an HTTP connection.
  std::uint32_t ping_interval_ms = 30'000;  // Silence of a WebSocket client before it is pinged.
  std::uint32_t dead_after_ms = 90'000;     // Silence, pings included, after which a WebSocket client is dropped.
  std::uint32_t tunnel_idle_ms = 600'000;   // Silence of both sides of a tunnel.
  std::uint32_t drain_delay_ms = 0;         // SIGTERM to the end of accepting.
  std::uint32_t drain_ms = 2'000;           // Over which the sessions' ends are spread.
  std::uint32_t stop_ms = 10'000;           // From there to the end.

  friend bool operator==(const Timeouts&, const Timeouts&) = default;
};

struct Tls {
  Offload offload = Offload::automatic;
  std::uint32_t records_per_key = 1U << 24;  // Sent under one key.

  friend bool operator==(const Tls&, const Tls&) = default;
};

// Where operators and their programs ask and steer (admin/interface.h).
struct Admin {
  Endpoint address{};    // HTTP; port 0: off.
  std::string socket{};  // The path of a Unix socket; "": off. load() fills in $RUNTIME_DIRECTORY/admin.sock.
  Changes changes = Changes::loopback;

  friend bool operator==(const Admin&, const Admin&) = default;
};

struct Config {
  Server server{};
  Log log{};
  Admin admin{};
  Tls tls{};
  Methods methods{};
  Limits limits{};
  Timeouts timeouts{};
  std::vector<Listener> listeners{};  // After load(): at least one.
  std::vector<Upstream> upstreams{};  // After load(): at least one.

  friend bool operator==(const Config&, const Config&) = default;
};

}  // namespace ringwall::config
