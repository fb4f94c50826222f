// node.h: what all clients share. Owner: the server; thread: the server's.
#pragma once

#include <ringwall/ring/slice.h>
#include <ringwall/ring/timer_wheel.h>

#include <cstdint>
#include <string>

#include "devnode/chain.h"
#include "devnode/json_parser.h"
#include "devnode/options.h"
#include "devnode/runtime.h"
#include "devnode/storage.h"

namespace ringwall::devnode {

// What it says of itself in system_health.
struct Health {
  std::uint64_t peers = 0;
  bool is_syncing = false;
  bool should_have_peers = false;
};

struct Node {
  Node(const Options& options_in, Runtime runtime_in, ring::TimerWheel& timers_in);

  const Options& options;
  Runtime runtime;
  ring::TimerWheel& timers;
  Chain chain;
  Storage storage;
  JsonParser json;
  ring::Slice fill;        // of x, to answer with what has to be large
  std::size_t in_use = 0;  // permits
  Health health{};
  bool holds_blocks = false;  // no block follows the best one
};

// One of connections_max, for as long as it lives: a WebSocket's, or a request's until it is answered.
class Permit {
 public:
  explicit Permit(Node& node) : node_(node) { ++node_.in_use; }
  Permit(const Permit&) = delete;
  Permit& operator=(const Permit&) = delete;
  ~Permit() { --node_.in_use; }

 private:
  Node& node_;
};

// Of CLOCK_MONOTONIC, on which the timers run.
[[nodiscard]] std::uint64_t monotonic_ns();

// What a node names a subscription: 16 random letters and digits.
[[nodiscard]] std::string random_subscription_id();

}  // namespace ringwall::devnode
