// stage.h: the connections of one shard over the simulated kernel, their peers, and what their owners hear.
#pragma once

#include <ringwall/connection/connection.h>

#include "sim/kernel/peer.h"
#include "sim/kernel/server.h"
#include "sim/kernel/sim_kernel.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ringwall::connection::test {

using sim::millisecond;
using sim::second;

// What the kernel does of TLS: nothing; records under one key; with KeyUpdate too, as since Linux 6.14. The whole of
// the TLS tests runs with each, by RINGWALL_UNIT_KERNEL_TLS.
enum class KernelTls { none, one_key, key_updates };
[[nodiscard]] inline KernelTls kernel_tls_of_this_run() {
  const char* const value = std::getenv("RINGWALL_UNIT_KERNEL_TLS");
  if (value == nullptr) return KernelTls::none;
  RINGWALL_CHECK(std::string_view(value) == "one_key" || std::string_view(value) == "key_updates");
  return std::string_view(value) == "one_key" ? KernelTls::one_key : KernelTls::key_updates;
}

struct Options {
  std::uint64_t seed = 1;
  sim::Faults faults{};
  std::size_t socket_bytes = 64 * 1024;  // of each buffer of each socket
  std::uint16_t buffers = 16;
  std::uint32_t buffer_bytes = 4096;
  std::uint16_t large_buffers = 2;  // each of eight times that
  std::size_t backlog_bytes = 8 << 20;
  std::size_t arena_blocks = 4;  // before has_room() says no
  std::uint64_t send_timeout_ns = 10 * second;
  std::uint64_t linger_ns = 800 * millisecond;
  unsigned handshakes_per_turn = 8;
  unsigned descriptors_max = 4096;
  unsigned ports_max = sim::KernelSettings{}.ports_max;
  KernelTls kernel_tls = kernel_tls_of_this_run();
  std::uint64_t records_per_key = tls::records_per_key_max;
};

// The faults that cost time and order but lose no connection.
[[nodiscard]] inline sim::Faults harmless_faults() {
  sim::Faults faults;
  faults.short_receive = faults.short_send = faults.multishot_ends = faults.no_buffers = 0.2;
  faults.cancel_loses = faults.late_completion = faults.enter_refused = faults.completions_held = 0.2;
  return faults;
}

// What may be anything, but the same each time.
[[nodiscard]] inline std::string text_of(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t at = 0; at < bytes; ++at) text[at] = static_cast<char>(at * 31 + at / 251 + at / 65536);
  return text;
}

class Stage {
 public:
  explicit Stage(const Options& options = {})
      : world(settings(options)),
        kernel(world, {.descriptors_max = options.descriptors_max,
                       .ports_max = options.ports_max,
                       .has_tls = options.kernel_tls != KernelTls::none,
                       .tls_allows_second_key = options.kernel_tls == KernelTls::key_updates}),
        ring(kernel),
        buffers(kernel, 1, options.buffers, options.buffer_bytes),
        large_buffers(kernel, 2, options.large_buffers, 8 * options.buffer_bytes),
        arena(options.arena_blocks * Arena::block_bytes),
        backlog(options.backlog_bytes, options.backlog_bytes),
        resources{.ring = ring,
                  .buffers = buffers,
                  .arena = arena,
                  .backlog = backlog,
                  .send_timeout_ns = options.send_timeout_ns,
                  .linger_ns = options.linger_ns,
                  .handshakes_per_turn = options.handshakes_per_turn,
                  .offload = offload(options),
                  .large_buffers = &large_buffers},
        listener_(kernel.open_listener(address())) {}
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  ~Stage() {
    kernel.close_socket(listener_);
    RINGWALL_CHECK(kernel.operations_in_flight() == 0 && kernel.descriptors_open() == 0 && kernel.buffers_held() == 0);
  }

  [[nodiscard]] static ring::SocketAddress address() { return sim::address_of("192.0.2.1", 443); }
  [[nodiscard]] static ring::SocketAddress node_address() { return sim::address_of("192.0.2.9", 9944); }

  void turn() {
    const bool busy = resources.end_turn();
    ring.turn(busy ? 0 : 50 * millisecond);
  }

  // False: it did not come true in so much virtual time.
  template <typename Condition>
  [[nodiscard]] bool run_until(Condition condition, std::uint64_t within_ns = 120 * second) {
    const std::uint64_t deadline_ns = kernel.now_ns() + within_ns;
    while (!condition()) {
      if (kernel.now_ns() >= deadline_ns) return false;
      turn();
    }
    return true;
  }

  void run_for(std::uint64_t time_ns) {
    (void)run_until([] { return false; }, time_ns);
  }

  // The socket of the next client.
  [[nodiscard]] int accept() {
    io_uring_prep_accept(&ring.prepare(accept_), listener_, nullptr, nullptr, 0);
    RINGWALL_CHECK(run_until([&] { return !accept_.in_flight(); }));
    return std::exchange(accepted_, -1);
  }

  // A segment in each direction, and what comes of it.
  static constexpr std::uint64_t moment_ns = 30 * millisecond;

  sim::World world;
  sim::SimKernel kernel;
  ring::Ring ring;
  ring::BufferRing buffers;
  ring::BufferRing large_buffers;
  Arena arena;
  SharedBudget backlog;
  Resources resources;

 private:
  static sim::Settings settings(const Options& options) {
    return {.seed = options.seed,
            .faults = options.faults,
            .paths = {.latency_ns_max = 2 * millisecond,
                      .buffer_bytes_min = options.socket_bytes,
                      .buffer_bytes_max = options.socket_bytes}};
  }

  static tls::OffloadSettings offload(const Options& options) {
    tls::OffloadSettings settings{.kernel_updates_keys = options.kernel_tls == KernelTls::key_updates,
                                  .records_per_key = options.records_per_key};
    for (auto& row : settings.kernel) row.fill(options.kernel_tls != KernelTls::none);
    return settings;
  }

  void on_accept(const ring::Completion& completion) { accepted_ = completion.result; }

  int listener_;
  int accepted_ = -1;
  ring::OperationOf<Stage, &Stage::on_accept> accept_{*this};
};

// An owner that writes down what it hears, and lets go of bytes at once.
class Recorder : public Owner {
 public:
  virtual ~Recorder() = default;

  std::string received;
  std::vector<std::string> told;  // all but the bytes, in order
  std::function<void()> when_received, when_told, when_closed;

  [[nodiscard]] bool heard(std::string_view what) const { return count(what) > 0; }
  [[nodiscard]] long count(std::string_view what) const { return std::ranges::count(told, what); }

 private:
  void on_connected(Connection&) override { tell("connected"); }
  void on_established(Connection&) override { tell("established"); }
  void on_received(Connection&, ring::Slice bytes) override {
    received.append(reinterpret_cast<const char*>(bytes.bytes().data()), bytes.size());
    bytes.reset();
    if (when_received) when_received();
  }
  void on_ended(Connection&, End how) override { tell(how == End::fin ? "ended by fin" : "ended by close_notify"); }
  void on_failed(Connection&, Failure failure) override { tell("failed: " + std::string(name(failure))); }
  void on_lost(Connection&) override { tell("lost"); }
  void on_congested(Connection&) override { tell("congested"); }
  void on_drained(Connection&) override { tell("drained"); }
  void on_spent(Connection&, Spent) override {
    if (!heard("spent")) tell("spent");
  }
  void on_closed(Connection&) override {
    tell("closed");
    if (when_closed) when_closed();
  }
  void tell(std::string what) {
    told.push_back(std::move(what));
    if (when_told) when_told();
  }
};

// A client out there and our side of its connection. What is open at the end is aborted and joined.
struct Link {
  explicit Link(Stage& stage_in, std::unique_ptr<TlsTransport> transport = nullptr)
      : stage(stage_in), peer(stage.world) {
    static std::uint16_t port = 10'000;
    peer.connect(Stage::address(), sim::address_of("203.0.113.7", ++port));
    connection.adopt(stage.accept(), std::move(transport));
  }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;
  ~Link() {
    connection.abort();
    RINGWALL_CHECK(stage.run_until([&] { return connection.is_closed(); }));
  }

  [[nodiscard]] bool is_closed() const { return connection.is_closed(); }

  Stage& stage;
  Recorder owner;
  Connection connection{stage.resources, owner};
  sim::Peer peer;
};

}  // namespace ringwall::connection::test
