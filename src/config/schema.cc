#include <ringwall/config/schema.h>

#include <ringwall/check.h>
#include <ringwall/limits.h>

#include "rows.h"

namespace ringwall::config {
namespace {

constexpr std::uint64_t records_per_key_min = 64;  // less would be all KeyUpdates
// RFC 8446 section 5.5: 2^24.5 full records for AES-GCM.
constexpr std::uint64_t records_per_key_max = std::uint64_t{1} << 24;

}  // namespace

template <>
std::span<const Field<Server>> fields() {
  using S = Server;
  static const std::array rows{
      number("shards", &S::shards, Unit::none, 0, 1'024,
             "Threads with a ring of their own, each pinned to a core. auto: one for each core this process may use.",
             "auto"),
      text("user", &S::user, account_name, "The account to become after the ports are bound, when started as root.",
           "\"ringwall\""),
      text("group", &S::group, account_name, "The group to become; without it, the user's own.", "\"ringwall\""),
      choice(
          "confine", &S::confine,
          "After the start: no files but those it needs (Landlock), no system calls but those it makes (seccomp), as "
          "far as the kernel has them. A file that a later configuration names must lie in a folder that the first "
          "one named, in /etc or in /usr."),
      text("state_dir", &S::state_dir, file_path,
           "The folder that keeps self-signed certificates. Without it: $STATE_DIRECTORY, /var/lib/ringwall for root, "
           "or ~/.local/state/ringwall.",
           "\"/var/lib/ringwall\""),
      choice("drain_code", &S::drain_code,
             "What WebSockets are closed with when Ringwall stops. going_away: 1001. service_restart: 1012."),
      number("buffers_per_shard", &S::buffers_per_shard, Unit::none, 8, 32'768,
             "Receive buffers of a shard; a power of two. More run dry later but leave the cache."),
      number("buffer_bytes", &S::buffer_bytes, Unit::bytes, 4 * kib, 32 * kib, "The size of a receive buffer."),
      number("backlog_bytes_max", &S::backlog_bytes_max, Unit::bytes, 1'024 * kib, 1'024 * gib,
             "What a shard may hold for readers that are behind."),
      number("assembly_bytes_max", &S::assembly_bytes_max, Unit::bytes, 64 * kib, 1'024 * gib,
             "What a shard may hold of messages and bodies that are not complete."),
      number("assembly_bytes_per_address_max", &S::assembly_bytes_per_address_max, Unit::bytes, 64 * kib, 1'024 * gib,
             "Of that, what one client address may take."),
      number("connections_max", &S::connections_max, Unit::none, 0, 10'000'000,
             "Clients of a shard. auto: what the limit of open files allows.", "auto"),
      live(number("handshakes_per_turn", &S::handshakes_per_turn, Unit::none, 1, 1'024,
                  "TLS handshakes that a shard works on before it turns to the connections that are up.")),
  };
  return rows;
}

template <>
std::span<const Field<Tls>> fields() {
  using S = Tls;
  static const std::array rows{
      choice("offload", &S::offload,
             "Who encrypts after the handshake. kernel: the kernel's TLS; Ringwall does not start where there is none. "
             "user: Ringwall itself. auto: whichever takes less CPU time here, measured at the start."),
      number("records_per_key", &S::records_per_key, Unit::none, records_per_key_min, records_per_key_max,
             "A new key comes before so many records have been sent under one; what AES-GCM can bear is little more. "
             "Where the key can't be changed (TLS 1.2, and TLS 1.3 in a kernel before 6.14) the connection ends in "
             "order from 7/8 of them on. What a kernel is given to send at once is sent under one key, and may exceed "
             "this."),
  };
  return rows;
}

template <>
std::span<const Field<Admin>> fields() {
  using S = Admin;
  static const std::array rows{
      Field<S>{{.name = "address",
                .help = "Where metrics, health and sessions are told and Ringwall is steered, over plain HTTP. Without "
                        "it, nowhere. Whoever does not come from this machine gets /metrics, /health and /ready alone.",
                .example = "\"127.0.0.1:9090\"",
                .bind = true},
               &S::address},
      text("socket", &S::socket, file_path,
           "The same on a Unix socket, for its owner and group: ringwall ctl and ringwall top use it. Without it: "
           "$RUNTIME_DIRECTORY/admin.sock where systemd names one, else none.",
           "\"/run/ringwall/admin.sock\""),
      choice("changes", &S::changes,
             "Who may reload, drain, ban and change the log level. loopback: any program on this machine, over HTTP "
             "too. socket: only who may open the socket; where there is none, nobody."),
  };
  return rows;
}

template <>
std::span<const Field<Timeouts>> fields() {
  using S = Timeouts;
  static const std::array rows{
      milliseconds("handshake_ms", &S::handshake_ms,
                   "From a connection to the end of its TLS handshake, a PROXY header before it included."),
      milliseconds("head_ms", &S::head_ms, "For a request's head, from its first byte to its last."),
      milliseconds("body_ms", &S::body_ms,
                   "For a request's body, and a second more for each 32 KiB of it that have come."),
      milliseconds("message_ms", &S::message_ms,
                   "For a client's WebSocket message, and a second more for each 32 KiB of it that have come."),
      milliseconds("connect_ms", &S::connect_ms, "For a connection to the node, over all the addresses of its name."),
      milliseconds("response_ms", &S::response_ms,
                   "How long the node may say nothing to a request or an upgrade, or in the middle of its answer."),
      milliseconds("send_ms", &S::send_ms, "How long a reader may take not one byte of what waits for it."),
      milliseconds("keep_alive_ms", &S::keep_alive_ms, "Between two requests of an HTTP connection."),
      milliseconds("ping_interval_ms", &S::ping_interval_ms,
                   "After this much silence of a WebSocket client, it is pinged. One that answers is never cut."),
      milliseconds("dead_after_ms", &S::dead_after_ms,
                   "After this much silence, pings unanswered, a WebSocket client or its node is given up."),
      milliseconds(
          "tunnel_idle_ms", &S::tunnel_idle_ms,
          "After this much silence of both sides a tunnel is closed. Peers of a node ping each other far more often."),
      number(
          "drain_delay_ms", &S::drain_delay_ms, Unit::milliseconds, 0, day_ms,
          "After SIGTERM Ringwall is no longer ready, but serves on for so long: as a load balancer takes to see it."),
      number("drain_ms", &S::drain_ms, Unit::milliseconds, 0, day_ms,
             "Then each session ends at a moment of its own within this time, so that clients do not come back in one "
             "wave. SIGINT ends all at once."),
      milliseconds("stop_ms", &S::stop_ms,
                   "For calls in flight to be answered after that, and for what is under way to end. What is open "
                   "still is cut."),
  };
  return rows;
}

template <>
std::span<const Field<Listener>> fields() {
  using S = Listener;
  static const std::array rows{
      fixed(Field<S>{{.name = "address",
                      .help = "Where to listen; * is every address. Without it: *:443 for tls, *:80 for the others.",
                      .example = "\"0.0.0.0:443\"",
                      .bind = true},
                     &S::address}),
      fixed(choice("kind", &S::kind,
                   "tls: https and wss. plain: http and ws, for use behind something that ends TLS. redirect: plain "
                   "http that points to https.")),
      text("self_signed", &S::self_signed, served_name,
           "Names and addresses of a certificate that Ringwall makes and keeps; browsers warn about it.",
           "[\"localhost\", \"127.0.0.1\"]"),
      choice("mode", &S::mode,
             "rpc: JSON-RPC over WebSocket and POST. tunnel: bytes both ways after the upgrade, for a p2p /ws port."),
      choice("host", &S::host,
             "The Host that the node sees. auto: localhost, which its filter accepts. preserve: the client's."),
      text("upstream", &S::upstream, upstream_name,
           "The upstream for what no route matches. Without it: the first [[upstream]].", "\"node\""),
      text("public_name", &S::public_name, public_host,
           "What people type to come here, for the page and the redirect. Without it: the request's Host.",
           "\"rpc.example.com\""),
      choice("proxy_protocol", &S::proxy_protocol,
             "required: each connection must begin with a PROXY header (version 1 or 2), as a load balancer sends it "
             "before TLS; the address in it is the client's. It is believed from any peer, or from trusted_proxies "
             "alone if that is given; others are closed. off: there is none, and one is refused."),
      Field<S>{{.name = "trusted_proxies",
                .help = "Peers whose X-Forwarded-For is believed. Of everyone else it is thrown away. With "
                        "proxy_protocol, the address in the header counts as the peer.",
                .example = "[\"10.0.0.0/8\", \"fd00::/8\"]"},
               &S::trusted_proxies},
      text("origins", &S::origins, web_origin,
           "Web pages that may use this endpoint: a request with another Origin is answered 403. Programs that send "
           "none pass. Empty: any.",
           "[\"https://polkadot.js.org\"]"),
      text("acme_webroot", &S::acme_webroot, file_path,
           "Of kind redirect: the folder whose .well-known/acme-challenge is served, for certbot's --webroot.",
           "\"/var/www/html\""),
  };
  return rows;
}

template <>
std::span<const Field<Certificate>> fields() {
  using S = Certificate;
  static const std::array rows{
      text("cert", &S::cert, file_path, "PEM, the server's own certificate first; certbot's fullchain.pem as it is.",
           "\"/etc/letsencrypt/live/rpc.example.com/fullchain.pem\""),
      text("key", &S::key, file_path, "Its private key, PEM, ECDSA or RSA.",
           "\"/etc/letsencrypt/live/rpc.example.com/privkey.pem\""),
      text("ocsp", &S::ocsp, file_path, "An OCSP response in DER to staple.", "\"/var/lib/ringwall/ocsp.der\""),
  };
  return rows;
}

template <>
std::span<const Field<Route>> fields() {
  using S = Route;
  static const std::array rows{
      text("sni", &S::sni, sni_pattern,
           "The name the client asked for in TLS, exact or *.example.com. Without it: any.", "\"rpc.example.com\""),
      text("path", &S::path, path_pattern, "The request's path, exact, or /ws* for a prefix. Without it: any.",
           "\"/ws*\""),
      text("upstream", &S::upstream, upstream_name, "Where to. Without it: the listener's upstream.", "\"node\""),
      choice("mode", &S::mode, "rpc or tunnel. Without it: the listener's mode.", "\"tunnel\""),
  };
  return rows;
}

template <>
std::span<const std::pair<std::string_view, ListenerKind>> words() {
  static constexpr std::array<std::pair<std::string_view, ListenerKind>, 3> rows{
      {{"tls", ListenerKind::tls}, {"plain", ListenerKind::plain}, {"redirect", ListenerKind::redirect}}};
  return rows;
}

template <>
std::span<const std::pair<std::string_view, Mode>> words() {
  static constexpr std::array<std::pair<std::string_view, Mode>, 2> rows{
      {{"rpc", Mode::rpc}, {"tunnel", Mode::tunnel}}};
  return rows;
}

template <>
std::span<const std::pair<std::string_view, HostHeader>> words() {
  static constexpr std::array<std::pair<std::string_view, HostHeader>, 2> rows{
      {{"auto", HostHeader::automatic}, {"preserve", HostHeader::preserve}}};
  return rows;
}

template <>
std::span<const std::pair<std::string_view, ProxyProtocol>> words() {
  static constexpr std::array<std::pair<std::string_view, ProxyProtocol>, 2> rows{
      {{"off", ProxyProtocol::off}, {"required", ProxyProtocol::required}}};
  return rows;
}

template <>
std::span<const std::pair<std::string_view, DrainCode>> words() {
  static constexpr std::array<std::pair<std::string_view, DrainCode>, 2> rows{
      {{"going_away", DrainCode::going_away}, {"service_restart", DrainCode::service_restart}}};
  return rows;
}

template <>
std::span<const std::pair<std::string_view, Changes>> words() {
  static constexpr std::array<std::pair<std::string_view, Changes>, 2> rows{
      {{"loopback", Changes::loopback}, {"socket", Changes::socket}}};
  return rows;
}

template <>
std::span<const std::pair<std::string_view, Offload>> words() {
  static constexpr std::array<std::pair<std::string_view, Offload>, 3> rows{
      {{"auto", Offload::automatic}, {"kernel", Offload::kernel}, {"user", Offload::user}}};
  return rows;
}

std::span<const SectionRow> sections() {
  static constexpr std::array<SectionRow, 11> rows{{
      {SectionId::server, "server", 1, true, false, "The process and its memory."},
      {SectionId::log, "log", 1, true, true, "What is told on standard error, and by which rate; the rest is counted."},
      {SectionId::admin, "admin", 1, true, false, "For operators: metrics, health, sessions, bans."},
      {SectionId::tls, "tls", 1, true, false, "What becomes of TLS connections after their handshake."},
      {SectionId::methods, "methods", 1, true, true, "Which JSON-RPC methods may be called, and what each costs."},
      {SectionId::limits, "limits", 1, true, true,
       "What a client may send, and how much of it. A unit is a unit of cost (see methods); an address is one "
       "client's, a "
       "network what holds many of them. What a limit refuses costs nothing, what the methods refuse a unit."},
      {SectionId::timeouts, "timeouts", 1, true, true,
       "What may take how long. Numbers without a unit are milliseconds."},
      {SectionId::listener, "listener", 64, true, true, "A port that clients connect to; repeat it for more."},
      {SectionId::certificate, "listener.certificate", 64, false, true,
       "A certificate of the listener above; repeat it for more names, or for ECDSA beside RSA."},
      {SectionId::route, "listener.route", 256, false, true,
       "A route of the listener above; the first that matches in both name and path decides."},
      {SectionId::upstream, "upstream", 64, true, false, "A node, or several of one chain; repeat it for more chains."},
  }};
  return rows;
}

const SectionRow& section(SectionId id) {
  const SectionRow& row = sections()[static_cast<std::size_t>(id)];
  RINGWALL_CHECK(row.id == id);
  return row;
}

bool is_live(SectionId id, const Row& row) { return row.live.value_or(section(id).live); }

namespace {

template <typename Section>
void append_paths(SectionId id, std::vector<std::string>& paths) {
  for (const Field<Section>& field : fields<Section>()) {
    paths.push_back(std::string(section(id).path) + "." + std::string(field.row.name));
  }
}

}  // namespace

const std::vector<std::string>& field_paths() {
  static const std::vector<std::string> paths = [] {
    std::vector<std::string> all;
    append_paths<Server>(SectionId::server, all);
    append_paths<Log>(SectionId::log, all);
    append_paths<Admin>(SectionId::admin, all);
    append_paths<Tls>(SectionId::tls, all);
    append_paths<Methods>(SectionId::methods, all);
    append_paths<Limits>(SectionId::limits, all);
    append_paths<Timeouts>(SectionId::timeouts, all);
    append_paths<Listener>(SectionId::listener, all);
    append_paths<Certificate>(SectionId::certificate, all);
    append_paths<Route>(SectionId::route, all);
    append_paths<Upstream>(SectionId::upstream, all);
    return all;
  }();
  return paths;
}

}  // namespace ringwall::config
