#include <ringwall/server/bounds.h>

#include <ringwall/admin/http_server.h>
#include <ringwall/http/forward.h>
#include <ringwall/limits.h>
#include <ringwall/log/lane.h>
#include <ringwall/ring/tls_control.h>
#include <ringwall/session/session.h>
#include <ringwall/shard/shard.h>
#include <ringwall/tls/handshake.h>
#include <ringwall/tls/key_schedules.h>
#include <ringwall/tls/records.h>

#include <algorithm>

namespace ringwall::server {

namespace {

// For listeners, rings, pools of idle connections, the resolver and standard streams.
constexpr std::size_t files_of_our_own = 64;
// Ahead of a handshake's turn, as far as it is not charged to the backlog (connection/receive.cc): 32 KiB, in a vector
// that may have taken twice that.
constexpr std::size_t handshake_input_bytes_max = 2 * 32 * 1024;
// A ClientHello in part, in such a vector too. wolfSSL's memory comes when it is whole, and then it goes.
constexpr std::size_t hello_bytes_max = 2 * (tls::record_header_bytes + tls::client_hello_bytes_max);
constexpr std::size_t handshake_bytes_max =
    sizeof(tls::Handshake) + handshake_input_bytes_max + std::max(hello_bytes_max, handshake_wolfssl_bytes_max);
// After it a record in part, which in TLS 1.3 may have 256 bytes more than its plaintext, and until the turn ends the
// one before it, which has been given out. Or, in the kernel's hands, a record that is not data while it is fetched.
constexpr std::size_t record_bytes_max = tls::record_header_bytes + tls::record_plaintext_bytes_max + 256;
constexpr std::size_t records_bytes_max =
    std::max(2 * record_bytes_max, tls::record_plaintext_bytes_max + sizeof(ring::TlsControlMessage));

// Of the calls that a client has in flight and the subscriptions that are live, where limits hold them.
std::size_t calls_bytes(const config::Limits& limits) {
  const bool held = limits.enabled == config::Switch::on && limits.exempt.empty() &&
                    limits.connection_calls_in_flight_max != 0 && limits.connection_subscriptions_max != 0;
  if (!held) return session::CallTable::bytes_held_max();
  const std::size_t at_most =
      64 * std::size_t{limits.connection_calls_in_flight_max} + 16 * std::size_t{limits.connection_subscriptions_max};
  return std::min(at_most, session::CallTable::bytes_held_max());
}

}  // namespace

Bounds bounds(const config::Config& config, std::size_t shards, std::size_t open_files) {
  const config::Server& server = config.server;
  std::size_t pooled = 0, asking = 0;
  for (const config::Upstream& upstream : config.upstreams) {
    const std::size_t nodes = config::nodes_of(upstream).size();
    pooled += nodes * upstream::Pool::kept_max(upstream.pool_idle_max);
    asking += 2 * nodes;  // of their methods, and of their health
  }
  const bool has_admin = config.admin.address.port != 0 || !config.admin.socket.empty();
  const std::size_t own = files_of_our_own + asking + (has_admin ? admin::callers_max + 4 : 0) +
                          shards * (4 + config.listeners.size() + pooled);
  const std::size_t by_files = open_files > own ? std::max<std::size_t>((open_files - own) / 2 / shards, 1) : 1;
  Bounds bounds{};
  bounds.open_files = open_files;
  bounds.open_files_wanted =
      server.connections_max == 0 ? 0 : own + 2 * shards * static_cast<std::size_t>(server.connections_max);
  bounds.connections_per_shard =
      server.connections_max == 0 ? by_files : std::min<std::size_t>(server.connections_max, by_files);
  bounds.arena_bytes = shard::arena_bytes_max;
  bounds.shard_bytes = std::size_t{server.buffers_per_shard} * server.buffer_bytes +
                       std::size_t{shard::large_buffers_count} * shard::large_buffer_bytes + bounds.arena_bytes +
                       server.backlog_bytes_max + server.assembly_bytes_max + session::assembly_reserve_bytes +
                       session::Guard::bytes_held() + log::Lane::bytes_max + tls::KeySchedules::bytes_held_max();
  // After the handshake: a head of the client in part, the one that the node is to get with a small body, and the
  // node's in part.
  const std::size_t talk_bytes = sizeof(session::Relay) + sizeof(session::Request) + sizeof(connection::Connection) +
                                 3 * http::head_bytes_max + http::forward_bytes_added_max +
                                 session::small_body_bytes_max + records_bytes_max + calls_bytes(config.limits) +
                                 session::AnswerReader::kept_bytes_max;
  bounds.connection_bytes =
      sizeof(session::Session) + sizeof(session::Session::Leaving) + sizeof(connection::TlsTransport) +
      2 * 2 * connection::Connection::pieces_kept_max * sizeof(ring::Slice) + std::max(handshake_bytes_max, talk_bytes);
  bounds.table_bytes =
      sizeof(quota::Entry) * (std::size_t{config.limits.address_entries} + config.limits.network_entries);
  bounds.total_bytes =
      bounds.table_bytes + shards * (bounds.shard_bytes + bounds.connections_per_shard * bounds.connection_bytes);
  return bounds;
}

}  // namespace ringwall::server
