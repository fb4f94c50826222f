// serve.h: from a configuration to running shards, and back.
#pragma once

#include <ringwall/config/config.h>
#include <ringwall/config/load.h>

#include <string>

namespace ringwall::server {

// Binds, loads certificates, gives up privileges, starts a thread a shard, and returns the program's exit code when
// SIGTERM or SIGINT has been carried out: 0, or 1 with one sentence on standard error when it could not start.
// A SIGHUP has `sources`, which `config` was loaded from, read again.
[[nodiscard]] int serve(config::Config config, config::Sources sources);

}  // namespace ringwall::server
