// bounds.h: how many clients a shard takes, and how much memory that can come to. Known before the first one.
#pragma once

#include <ringwall/config/config.h>

#include <cstddef>

namespace ringwall::server {

struct Bounds {
  std::size_t open_files;
  std::size_t open_files_wanted;      // for server.connections_max; 0 where that is auto
  std::size_t connections_per_shard;  // clients; each may have a connection to a node
  std::size_t arena_bytes;            // of a shard
  std::size_t shard_bytes;            // buffers, arena, backlog, assembly
  std::size_t connection_bytes;       // one client at most, without what shard_bytes counts
  std::size_t total_bytes;
};

[[nodiscard]] Bounds bounds(const config::Config& config, std::size_t shards, std::size_t open_files);

}  // namespace ringwall::server
