// serve.h: from a configuration to running shards, and back.
#pragma once

#include <ringwall/config/config.h>

namespace ringwall::server {

// Binds, loads certificates, drops privileges, starts a thread a shard, and returns the program's exit code when
// SIGTERM or SIGINT has been carried out: 0, or 1 with one sentence on standard error when it could not start.
[[nodiscard]] int serve(config::Config config);

}  // namespace ringwall::server
