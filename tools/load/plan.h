// plan.h: what a run is asked to do; read from the command line by options.h, immutable while it runs.
#pragma once

#include <ringwall/ring/backend.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace ringwall::load {

class Mix;

// Of ws://, wss://, http:// or https://: the last two mean POST.
struct Target {
  std::string url;   // as given
  std::string host;  // as it stands in Host, without the port; IPv6 without its brackets
  std::uint16_t port = 0;
  std::string path = "/";  // with its query
  bool tls = false;
  bool post = false;
  std::vector<ring::SocketAddress> addresses;  // resolved once, at least one; clients take them in turn
};

enum class Mode : std::uint8_t {
  calls,      // the calls of `mix`, over WebSocket or POST keep-alive; closed loop, or open where `rate` is set
  handshake,  // connect, TLS, upgrade (POST: one request), close; again
  idle,       // connections that are held and say nothing (pings are answered)
  subscribe,  // one subscription a connection; how far apart the same notification reaches the clients
  hostile,    // `hostility`; the calls of `mix` are made beside it by `connections` well-behaved clients. The hostile
              // ones have one thread more, beside `threads`
};

enum class Hostility : std::uint8_t {
  slow_heads,      // a byte of the request's head now and then
  slow_readers,    // ask for large answers and do not read them
  floods,          // calls as fast as the socket takes them, answers read and dropped
  denied,          // calls of methods that no public endpoint allows
  huge_batches,    // batches of thousands of calls in one message
  churn,           // connections opened, upgraded and reset at once
  tls_handshakes,  // ClientHellos whose handshake is not gone on with
};

enum class TlsVersions : std::uint8_t { any, only_12, only_13 };

struct TlsPlan {
  TlsVersions versions = TlsVersions::any;
  std::string ca_file;      // empty: the system's
  bool verify = true;       // --insecure: false
  std::string server_name;  // for SNI and verification; empty: the target's host
  bool resume = false;      // each connection but the first of a thread resumes its session
};

// Calls a second over all connections, from one to the other evenly over the measured time; equal: fixed.
struct Rate {
  double from = 0;
  double to = 0;
};

struct Plan {
  Target target;
  Mode mode = Mode::calls;
  Hostility hostility = Hostility::floods;
  unsigned hostile_connections = 0;
  unsigned threads = 1;
  unsigned connections = 50;
  unsigned depth = 1;  // calls in flight on a connection (closed loop); open loop: at most so many, later ones wait
  std::optional<Rate> rate;
  std::uint64_t duration_ns = 10'000'000'000;  // measured
  std::uint64_t warmup_ns = 1'000'000'000;     // as measured, but not counted
  std::uint64_t calls_max = 0;                 // ends the measured time too; 0: no bound. Exact over all threads
  double connect_rate = 0;  // connections opened a second at the start; 0: as fast as 128 at once allow
  std::uint64_t timeout_ns = 10'000'000'000;  // of a connect, a handshake and an answer
  TlsPlan tls;
  std::vector<ring::SocketAddress> sources;  // connection i comes from sources[i % size]; empty: the system's choice
  std::vector<std::pair<std::string, std::string>> headers;
  std::string subprotocol;
  std::shared_ptr<const Mix> mix;
  std::string subscribe_method = "chain_subscribeNewHeads";
  std::string subscribe_params = "[]";
};

}  // namespace ringwall::load
