// stage.h: one shard over the simulated kernel, its clients and its node.
#pragma once

#include <ringwall/shard/shard.h>

#include "sim/kernel/peer.h"
#include "sim/kernel/server.h"
#include "sim/kernel/sim_kernel.h"
#include "unit/catch.h"

#include <cstdint>
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
        target_("node", "192.0.2.9", 9944, 0),
        node(world, node_address()),
        mailbox_(kernel.open_mailbox()) {
    REQUIRE(target_.resolve() == 0);
    Plan plan{.config = &config_,
              .rules = &rules_,
              .offers = nullptr,
              .listeners = {},
              .targets = {&target_},
              .sessions_max = options.sessions_max,
              .stop_event = mailbox_,
              .notice = [this](session::Notice notice, const std::string&) { notices.push_back(notice); }};
    for (std::uint16_t index = 0; index < config_.listeners.size(); ++index) {
      const int socket = kernel.open_listener(address(index));
      plan.listeners.push_back({.config = &config_.listeners[index], .socket = socket, .tls = nullptr});
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
    kernel.close_socket(mailbox_);
    RINGWALL_CHECK(kernel.operations_in_flight() == 0 && kernel.descriptors_open() == 0 && kernel.buffers_held() == 0);
  }

  [[nodiscard]] static ring::SocketAddress address(std::uint16_t listener = 0) {
    return sim::address_of("192.0.2.1", static_cast<std::uint16_t>(8080 + listener));
  }
  [[nodiscard]] static ring::SocketAddress node_address() { return sim::address_of("192.0.2.9", 9944); }

  // Someone who connects and says `text`, at once or in a moment.
  sim::Peer& connect(std::string_view text = "", std::uint16_t listener = 0) {
    sim::Peer& client = clients.emplace_back(world);
    client.connect(address(listener), sim::address_of("203.0.113.7", ++port_));
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
  void stop() { kernel.signal_mailbox(mailbox_); }
  [[nodiscard]] bool stops_within(std::uint64_t time_ns) {
    return run_until([&] { return stopped; }, time_ns);
  }

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
    config.limits.enabled = config::Switch::off;
    config.timeouts.stop_ms = 10'000;
    config.timeouts.send_ms = 60'000;
    return config;
  }

  config::Config config_;
  session::Rules rules_{config_, {}, 0};
  upstream::Target target_;
  std::uint16_t port_ = 10'000;

 public:
  sim::Server node;
  std::list<sim::Peer> clients;
  std::vector<session::Notice> notices;
  std::unique_ptr<Shard> shard;
  bool stopped = false;

 private:
  int mailbox_;
};

inline constexpr std::string_view page_request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

inline constexpr std::string_view some_call = R"({"jsonrpc":"2.0","id":1,"method":"system_name"})";

inline std::string post(std::string_view body) {
  return "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}
inline std::string answer(std::string_view body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

}  // namespace ringwall::shard::test
