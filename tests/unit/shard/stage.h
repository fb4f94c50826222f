// stage.h: one shard over the simulated kernel, its clients and its nodes.
#pragma once

#include <ringwall/http/upgrade.h>
#include <ringwall/shard/shard.h>

#include "sim/kernel/peer.h"
#include "sim/kernel/server.h"
#include "sim/kernel/sim_kernel.h"
#include "unit/catch.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ringwall::shard::test {

using sim::millisecond;
using sim::second;

struct Options {
  std::uint64_t seed = 1;
  sim::Faults faults{};
  std::size_t socket_bytes = 64 * 1024;  // of each buffer of each socket
  std::size_t sessions_max = 1000;
  unsigned descriptors_max = 4096;
  config::Listener first{.kind = config::ListenerKind::plain};  // of two listeners
  std::uint16_t sockets = 1;                                    // of each, 10 ports apart
  std::uint8_t nodes = 1;                                       // of the one upstream
};

class Stage {
 public:
  explicit Stage(const Options& options = {})
      : world({.seed = options.seed,
               .faults = options.faults,
               .paths = {.latency_ns_max = 2 * millisecond,
                         .buffer_bytes_min = options.socket_bytes,
                         .buffer_bytes_max = options.socket_bytes}}),
        kernel(world,
               {.submission_entries = 256, .completion_entries = 1024, .descriptors_max = options.descriptors_max}),
        config_(make_config(options)),
        node(world, node_address()),
        event_(kernel.open_mailbox()) {
    Plan plan{.config = &config_,
              .rules = &rules_,
              .offers = nullptr,
              .listeners = {},
              .targets = {},
              .sessions_max = options.sessions_max,
              .mailbox = &mailbox_,
              .event = event_,
              .log = [this](const log::Line& line) {
                append_line(told, line, {}, log::Time{});
                if (line.level == log::Level::warning) notices.emplace_back(line.event);
              }};
    for (const config::Endpoint& place : config::nodes_of(config_.upstreams.front())) {
      upstream::Target& target = targets.emplace_back("node", place.host, place.port, 0U);
      REQUIRE(target.resolve() == 0);
      plan.targets.push_back(&target);
      if (targets.size() > 1) other_nodes.emplace_back(world, sim::address_of(place.host.c_str(), place.port));
    }
    for (std::uint16_t index = 0; index < config_.listeners.size(); ++index) {
      plan.listeners.push_back({.config = &config_.listeners[index], .sockets = {}, .tls = nullptr});
      for (std::uint16_t copy = 0; copy < options.sockets; ++copy) {
        plan.listeners.back().sockets.push_back(
            kernel.open_listener(address(static_cast<std::uint16_t>(index + 10 * copy))));
      }
    }
    shard = std::make_unique<Shard>(kernel, std::move(plan));
    REQUIRE(shard->error() == 0);
    shard->start();
  }
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  ~Stage() {
    clients.clear();
    stop();
    stop();
    RINGWALL_CHECK(run_until([&] { return stopped; }));
    kernel.close_socket(event_);
    RINGWALL_CHECK(kernel.operations_in_flight() == 0 && kernel.descriptors_open() == 0 && kernel.buffers_held() == 0);
  }

  [[nodiscard]] static ring::SocketAddress address(std::uint16_t listener = 0) {
    return sim::address_of("192.0.2.1", static_cast<std::uint16_t>(8080 + listener));
  }
  [[nodiscard]] static ring::SocketAddress node_address() { return sim::address_of("192.0.2.9", 9944); }

  // Someone who connects and says `text`, at once or in a moment.
  sim::Peer& connect(std::string_view text = "", std::uint16_t listener = 0) {
    return connect_to(address(listener), text);
  }
  sim::Peer& connect_to(const ring::SocketAddress& to, std::string_view text) {
    sim::Peer& client = clients.emplace_back(world);
    client.connect(to, sim::address_of("203.0.113.7", ++port_));
    client.send(text);
    return client;
  }

  void turn() { stopped = stopped || !shard->turn(50 * millisecond); }
  // False: it did not come true in so much virtual time.
  template <typename Condition>
  [[nodiscard]] bool run_until(Condition condition, std::uint64_t within_ns = 120 * second) {
    const std::uint64_t deadline_ns = kernel.now_ns() + within_ns;
    while (!condition()) {
      if (stopped || kernel.now_ns() >= deadline_ns) return false;
      turn();
    }
    return true;
  }
  void run_for(std::uint64_t time_ns) {
    (void)run_until([] { return false; }, time_ns);
  }
  // As the server's thread: asks to stop, and a second time to stop at once.
  void stop(const Drain& drain = {}) {
    post([drain](Shard& told) { told.stop(drain); });
  }
  void post(Letter letter) {
    mailbox_.post(std::move(letter));
    kernel.signal_mailbox(event_);
  }
  [[nodiscard]] bool stops_within(std::uint64_t time_ns) {
    return run_until([&] { return stopped; }, time_ns);
  }

  // What the shard was made with.
  [[nodiscard]] const config::Config& config() const { return config_; }
  [[nodiscard]] const session::Rules& rules() const { return rules_; }

  [[nodiscard]] std::size_t sessions() const { return shard->service().sessions.size(); }
  [[nodiscard]] std::uint64_t ended(session::EndReason reason) const {
    return shard->service().ended[static_cast<std::size_t>(reason)];
  }

  sim::World world;
  sim::SimKernel kernel;

 private:
  static config::Config make_config(const Options& options) {
    config::Config config;
    config.listeners = {options.first, {.kind = config::ListenerKind::plain}};
    config.upstreams.resize(1);
    for (std::uint8_t node = 0; node < options.nodes; ++node) {
      config.upstreams[0].addresses.push_back({"192.0.2." + std::to_string(9 + node), 9944});
    }
    config.limits.enabled = config::Switch::off;
    config.timeouts.stop_ms = 10'000;
    config.timeouts.send_ms = 60'000;
    return config;
  }

  config::Config config_;
  session::Rules rules_{config_, {}, 0};
  std::uint16_t port_ = 10'000;

 public:
  std::deque<upstream::Target> targets;  // as the nodes
  sim::Server node;                      // the first
  std::list<sim::Server> other_nodes;
  std::list<sim::Peer> clients;
  std::string told;                  // the log, as text
  std::vector<std::string> notices;  // the events of warnings
  std::unique_ptr<Shard> shard;
  bool stopped = false;

 private:
  Mailbox mailbox_;
  int event_;
};

inline constexpr std::string_view page_request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

inline constexpr std::string_view upgrade_request =
    "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

// A node's: takes the upgrade at the beginning of `input`, once it is there. False: what is there are frames.
inline bool takes_upgrade(sim::Peer& peer, std::string& input) {
  constexpr std::string_view field = "Sec-WebSocket-Key: ";
  if (!input.starts_with('G')) return false;  // no frame begins so
  if (!input.ends_with("\r\n\r\n")) return true;
  const std::size_t at = input.find(field);
  const http::WebSocketAccept accept = http::accept_key(std::string_view(input).substr(at + field.size(), 24));
  peer.send("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
            std::string(accept.data(), accept.size()) + "\r\n\r\n");
  input.clear();
  return true;
}

// A client whose upgrade has been answered.
inline sim::Peer& websocket(Stage& stage) {
  sim::Peer& client = stage.connect(upgrade_request);
  REQUIRE(stage.run_until([&] { return client.received().ends_with("\r\n\r\n"); }));
  (void)client.take_received();
  return client;
}

inline constexpr std::string_view some_call = R"({"jsonrpc":"2.0","id":1,"method":"system_name"})";

inline std::string post(std::string_view body) {
  return "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}
inline std::string answer(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

}  // namespace ringwall::shard::test
