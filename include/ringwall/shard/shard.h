// shard.h: one thread's share of Ringwall: a ring, its buffers, its listeners, its sessions.
//
// Shared nothing: what crosses to another thread is a stop request (an eventfd), the addresses of nodes (published
// snapshots) and the places among their connections (an atomic count), and ticket keys. Made, run and destroyed on its
// own thread; only Plan::stop_event is for others.
#pragma once

#include <ringwall/config/config.h>
#include <ringwall/connection/connection.h>
#include <ringwall/error.h>
#include <ringwall/ring/buffer_ring.h>
#include <ringwall/ring/ring.h>
#include <ringwall/session/service.h>
#include <ringwall/shard/acceptor.h>
#include <ringwall/tls/offload.h>
#include <ringwall/upstream/target.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace ringwall::shard {

// The Arena's soft bound, of one shard.
inline constexpr std::size_t arena_bytes_max = std::size_t{16} << 20;
// For large answers of nodes. Measured: of 64 KiB they cost 4 to 8 % more CPU, of 256 KiB as much.
inline constexpr std::uint16_t large_buffers_count = 8;
inline constexpr std::uint32_t large_buffer_bytes = 128 * 1024;
inline constexpr unsigned ring_entries = 2048;
inline constexpr std::uint64_t linger_ns = 800'000'000;  // of a connection that has said all

// Who hoards leaves half of it to the others.
[[nodiscard]] constexpr std::size_t backlog_bytes_per_address_max(const config::Server& server) {
  return server.backlog_bytes_max / 2;
}

struct ListenerPlan {
  const config::Listener* config;
  int socket;                         // listening; the shard's own from here
  std::unique_ptr<tls::Context> tls;  // null: plain or redirect
};

struct Plan {
  const config::Config* config;  // outlives the shard, and so do the rules
  session::Rules* rules;         // shared by all shards
  const upstream::Offers* offers;
  std::vector<ListenerPlan> listeners;
  std::vector<upstream::Target*> targets;  // as Config::upstreams
  std::size_t sessions_max;
  int stop_event;  // an eventfd, the caller's: 1 written to it asks to stop in order, again: at once
  session::NoticeSink notice;
  tls::OffloadSettings offload{};
};

class Shard {
 public:
  Shard(ring::Backend& backend, Plan plan);
  Shard(const Shard&) = delete;
  Shard& operator=(const Shard&) = delete;
  ~Shard();

  // The errno with which the kernel refused a buffer ring, or 0.
  [[nodiscard]] int error() const { return buffers_.error() != 0 ? buffers_.error() : large_buffers_.error(); }

  // Until a stop request has been carried out: every connection closed, nothing in flight.
  void run();
  // What run() does, piece by piece: once start(), then turn() until it is false. A turn is what begins to accept.
  void start();
  [[nodiscard]] bool turn(std::uint64_t wait_ns_max);

  [[nodiscard]] session::Service& service() { return service_; }
  [[nodiscard]] connection::Resources& resources() { return resources_; }
  [[nodiscard]] connection::SharedBudget& backlog() { return backlog_; }

 private:
  void wait_for_stop();
  void on_stop_event(const ring::Completion& completion);
  void on_cancel(const ring::Completion&) {}
  void on_stop_deadline();
  void begin_stop();
  [[nodiscard]] bool has_stopped() const;

  const config::Config& config_;
  ring::Ring ring_;
  ring::BufferRing buffers_;
  ring::BufferRing large_buffers_;
  connection::Arena arena_;
  connection::SharedBudget backlog_;
  connection::Resources resources_;
  session::Service service_;
  std::vector<std::unique_ptr<session::ListenerService>> listeners_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  int stop_event_;
  std::uint64_t stop_count_ = 0;  // read from the eventfd
  ring::OperationOf<Shard, &Shard::on_stop_event> stop_read_{*this};
  ring::OperationOf<Shard, &Shard::on_cancel> stop_cancel_{*this};
  ring::TimerOf<Shard, &Shard::on_stop_deadline> stop_timer_{*this};
};

}  // namespace ringwall::shard
