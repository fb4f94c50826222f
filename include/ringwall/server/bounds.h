// bounds.h: how many clients a shard takes, and how much memory that can come to. Known before the first one.
#pragma once

#include <ringwall/config/config.h>

#include <cstddef>

namespace ringwall::server {

// What wolfSSL holds at most for a connection whose handshake is under way, whatever the certificate and however the
// client delays and splits what it says: tests/unit/tls/memory_test.cc measures it. 51,256 bytes were seen.
inline constexpr std::size_t handshake_wolfssl_bytes_max = 52 * 1024;

struct Bounds {
  std::size_t open_files;
  std::size_t open_files_wanted;      // for server.connections_max; 0 where that is auto
  std::size_t connections_per_shard;  // clients; each may have a connection to a node
  std::size_t arena_bytes;            // of a shard
  std::size_t shard_bytes;            // buffers, arena, backlog, assembly, guard
  // One client between two calls, in that part of its life that takes most, without what shard_bytes counts.
  std::size_t connection_bytes;
  std::size_t table_bytes;  // of addresses and networks, shared
  std::size_t total_bytes;
};

[[nodiscard]] Bounds bounds(const config::Config& config, std::size_t shards, std::size_t open_files);

}  // namespace ringwall::server
