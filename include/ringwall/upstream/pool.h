// pool.h: one shard's connections to one node that wait for the next HTTP request.
//
// A connection is put here after a whole answer on which the node keeps it alive, and taken by the next request, last
// in first out. While it waits nothing may arrive: whatever does, or its end, closes it. Of more than `idle_max` as
// many again are kept for a moment: the next burst of clients that post side by side finds them, and the node, which
// has few places (100 by default), soon has them back. The pool owns a connection from put() until take(), and until it
// is closed. Owner: the shard.
#pragma once

#include <ringwall/connection/connection.h>
#include <ringwall/ring/timer_wheel.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace ringwall::upstream {

class Pool final : private connection::Owner {
 public:
  static constexpr std::uint64_t surplus_ns = 1'000'000'000;  // how long one is kept beyond `idle_max`

  // Of connections that wait at one time.
  [[nodiscard]] static constexpr std::size_t kept_max(std::size_t idle_max) { return 2 * idle_max; }

  // With an `idle_max` of 0 none is kept at all.
  Pool(connection::Resources& resources, std::size_t idle_max, std::uint64_t idle_timeout_ns);
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool();

  // Null when none waits.
  [[nodiscard]] std::unique_ptr<connection::Connection> take();
  // An open connection with nothing under way. One too many of the surplus is closed instead.
  void put(std::unique_ptr<connection::Connection> connection);
  // Takes any connection, in whatever state, to close it in order or to join it.
  void retire(std::unique_ptr<connection::Connection> connection);

  // Closes all in order; from here on put() closes too. `now`: without waiting for what a node has still to take.
  void stop(bool now);
  [[nodiscard]] bool is_empty() const { return idle_.empty() && ending_.empty(); }

 private:
  struct Idle {
    std::unique_ptr<connection::Connection> connection;
    std::uint64_t since_ns;
  };

  void on_received(connection::Connection& connection, ring::Slice bytes) override;
  void on_ended(connection::Connection& connection, connection::End how) override;
  void on_failed(connection::Connection& connection, connection::Failure failure) override;
  void on_closed(connection::Connection& connection) override;
  void on_timer();
  void end(connection::Connection& connection);
  [[nodiscard]] std::uint64_t due_ns() const;
  void start_timer();

  connection::Resources& resources_;
  std::size_t idle_max_;
  const std::uint64_t idle_timeout_ns_;
  std::vector<Idle> idle_;  // oldest first
  std::vector<std::unique_ptr<connection::Connection>> ending_;
  ring::TimerOf<Pool, &Pool::on_timer> timer_{*this};
};

}  // namespace ringwall::upstream
