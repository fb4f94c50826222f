// options.h: what the command line says.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace CLI {
class App;
}

namespace ringwall::devnode {

struct Options {
  std::string listen = "127.0.0.1:9944";
  std::string metadata_file;         // empty: of a runtime without pallets
  std::string runtime_version_file;  // empty: our own
  std::uint32_t block_ms = 6000;
  std::uint32_t finality_lag = 2;  // blocks
  std::uint32_t ping_ms = 30'000;
  std::size_t connections_max = 100;
  std::size_t subscriptions_max = 1024;         // of a connection
  std::uint32_t request_bytes_max = 15 << 20;   // a message or body
  std::uint32_t response_bytes_max = 15 << 20;  // a message or body
  bool allow_any_host = false;                  // and any origin: --cors all
  bool allow_unsafe = false;                    // --rpc-methods unsafe
  bool id_last = false;                         // the answer's id after its result
};

// Adds each option, its help and its bounds.
void describe(CLI::App& app, Options& options);

}  // namespace ringwall::devnode
