// shard.h: one thread's share of Ringwall: a ring, its buffers, its listeners, its sessions.
//
// Shared nothing: what crosses to another thread is letters (mailbox.h), the addresses of nodes and their health
// (published snapshots), the use of each (atomic counts), and ticket keys. Made, run and destroyed on its own thread;
// only its mailbox and its event are for others.
#pragma once

#include <ringwall/config/config.h>
#include <ringwall/connection/connection.h>
#include <ringwall/error.h>
#include <ringwall/ring/buffer_ring.h>
#include <ringwall/ring/ring.h>
#include <ringwall/session/service.h>
#include <ringwall/shard/acceptor.h>
#include <ringwall/shard/mailbox.h>
#include <ringwall/shard/snapshot.h>
#include <ringwall/tls/offload.h>
#include <ringwall/upstream/target.h>
#include <ringwall/upstream/watch.h>

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

// How long a stop takes. fresh_ns: of those who have not asked for anything yet.
struct Drain {
  std::uint64_t spread_ns = 0;
  std::uint64_t fresh_ns = 500'000'000;
};

struct ListenerPlan {
  const config::Listener* config;
  std::vector<int> sockets;                 // listening; the shard's own from here
  std::shared_ptr<const tls::Context> tls;  // null: plain or redirect
};

struct Plan {
  const config::Config* config;  // copied by the shard
  session::Rules* rules;         // shared by all shards, and outlives them
  const upstream::Offers* offers;
  upstream::Watch* watch = nullptr;  // null: every node is taken to be well
  std::vector<ListenerPlan> listeners;
  std::vector<upstream::Target*> targets;  // of each of Config::upstreams, one upstream after the other
  std::size_t sessions_max;
  Mailbox* mailbox;  // outlives the shard
  int event;         // an eventfd, the caller's: written to once there are letters
  log::Sink log;     // on the shard's thread; does not block
  tls::OffloadSettings offload{};
};

// What all shards are told to go on with: a configuration with the listeners and upstreams of the plan, and what is
// made of it.
struct Settings {
  config::Config config;
  std::shared_ptr<const rpc::MethodTable> methods;
  quota::Terms terms;
};

// What one shard is told. It copies what it needs, and keeps nothing of it but methods and contexts.
struct Update {
  std::shared_ptr<const Settings> settings{};              // null: as they are
  std::vector<std::shared_ptr<const tls::Context>> tls{};  // of each listener; null: as it is
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

  // Between two turns. No connection ends for it: those that are open go on with what is new.
  void adopt(const Update& update);

  // Another process has stopped to accept from this one's sockets (Acceptor::look_again).
  void look_again();
  // After stop(): no listening socket is this shard's any more.
  [[nodiscard]] bool has_let_go() const;
  // To stop in order: no more clients, and the sessions go as Service::drain says, by timeouts.stop_ms after the last
  // moment at the latest. Called again: at once.
  void stop(const Drain& drain = {});

  [[nodiscard]] session::Service& service() { return service_; }
  [[nodiscard]] connection::Resources& resources() { return resources_; }
  [[nodiscard]] connection::SharedBudget& backlog() { return backlog_; }
  [[nodiscard]] const std::vector<std::unique_ptr<Acceptor>>& acceptors() const { return acceptors_; }
  [[nodiscard]] LoopTime& loop_time() { return loop_time_; }  // as of the last snapshot

 private:
  void wait_for_letters();
  void on_event(const ring::Completion& completion);
  void on_cancel(const ring::Completion&) {}
  void on_stop_deadline();
  void on_answers_deadline();
  [[nodiscard]] bool has_stopped() const;

  ring::Ring ring_;
  ring::BufferRing buffers_;
  ring::BufferRing large_buffers_;
  connection::Arena arena_;
  connection::SharedBudget backlog_;
  connection::Resources resources_;
  session::Service service_;
  std::vector<std::unique_ptr<session::ListenerService>> listeners_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  LoopTime loop_time_{};
  Mailbox& mailbox_;
  int event_;
  std::uint64_t event_count_ = 0;  // read from the eventfd
  ring::OperationOf<Shard, &Shard::on_event> event_read_{*this};
  ring::OperationOf<Shard, &Shard::on_cancel> event_cancel_{*this};
  ring::TimerOf<Shard, &Shard::on_stop_deadline> stop_timer_{*this};
  ring::TimerOf<Shard, &Shard::on_answers_deadline> answers_timer_{*this};
};

}  // namespace ringwall::shard
