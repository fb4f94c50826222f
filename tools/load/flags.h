// flags.h: the command line as it was written, and what --help says of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace ringwall::load {

// Nothing: not given.
struct Flags {
  using Text = std::optional<std::string>;

  std::string url;
  Text mode, mix, call, params, payload, answer_bytes, subscribe, hostile, hostile_connections;
  Text connections, depth, rate, duration, warmup, calls, threads, connect_rate, timeout;
  Text tls, ca, server_name, source, subprotocol;
  std::vector<std::string> headers;
  Text pid, p99, fail_p99, fail_errors, json, html;
  bool resume = false, insecure = false, find_max = false, quiet = false;
};

void describe(CLI::App& app, Flags& flags);

}  // namespace ringwall::load
