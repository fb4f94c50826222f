// tcp.h: a simulated TCP connection: two ends, with bounded buffers and a path that takes its time between them.
//
// The ends behave as Linux sockets do, and say the same errors: data that has arrived is still there after a reset, the
// reset is told once, then reads give 0 and writes -EPIPE; closing with unread data resets; data for an end that was
// closed resets. Nothing blocks: what would wait is -EAGAIN. Order is kept within a direction, whatever the seed.
// Owner: whoever holds an end; the connection lives as long as an end is held or an event is due for it.
// Source: RFC 9293; tcp_recvmsg, tcp_sendmsg and tcp_reset of Linux 6.1.
#pragma once

#include <ringwall/ring/backend.h>

#include "sim/kernel/byte_queue.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

namespace ringwall::sim {

class Connection;
class World;

enum class Side : std::uint8_t { client, server };

class Endpoint {
 public:
  Endpoint(Connection& connection, Side side) : connection_(connection), side_(side) {}
  Endpoint(const Endpoint&) = delete;
  Endpoint& operator=(const Endpoint&) = delete;

  [[nodiscard]] int connect_result();  // 0: connected, -EAGAIN: under way, or why not, told once
  [[nodiscard]] long read(std::span<std::byte> into);
  [[nodiscard]] long write(std::span<const std::byte> from);
  [[nodiscard]] int shut_down(int how);  // SHUT_RD, SHUT_WR, SHUT_RDWR
  void close();
  void reset();   // close() with SO_LINGER 0
  void vanish();  // this end is never heard of again, and hears nothing

  [[nodiscard]] std::size_t unread() const { return arrived_.size(); }
  [[nodiscard]] std::size_t unacknowledged() const;  // not yet at the other end; a FIN counts as one byte
  [[nodiscard]] std::size_t space() const { return send_bytes_max_ - outgoing_.size(); }
  [[nodiscard]] int error() const { return error_; }  // what a read or a write is going to tell
  [[nodiscard]] bool is_established() const { return established_ && !dead_; }
  [[nodiscard]] bool is_readable() const;
  [[nodiscard]] bool is_writable() const;  // as poll says it: a third of the buffer is free, or a write would fail
  [[nodiscard]] int end_events() const;    // POLLERR, POLLHUP, POLLRDHUP
  [[nodiscard]] const ring::SocketAddress& peer_address() const;

  // Called when the end may have become readable or writable. It must not call back into the connection at once.
  std::function<void()> changed;

 private:
  friend class Connection;

  [[nodiscard]] Endpoint& peer() const;
  void notify() const;
  void receive_reset();
  void fail_connect(int number);
  void deliver_later(std::uint64_t delay_ns);
  void deliver();
  void queue_fin();
  void send_reset();
  void expire_later();

  Connection& connection_;
  Side side_;
  ByteQueue outgoing_;  // written here, not yet at the peer
  ByteQueue arrived_;   // from the peer, not yet read here
  std::size_t send_bytes_max_ = 0;
  std::size_t receive_bytes_max_ = 0;
  int error_ = 0;
  bool established_ = false;
  bool dead_ = false;  // reset, failed or abandoned
  bool closed_ = false;
  bool read_shut_ = false;
  bool fin_queued_ = false;
  bool fin_arrived_ = false;  // the peer's
  bool vanished_ = false;
  bool delivery_due_ = false;
  bool expiry_due_ = false;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(World& world, const ring::SocketAddress& client, const ring::SocketAddress& server);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  [[nodiscard]] std::shared_ptr<Endpoint> end(Side side);

  // How a connect went, called by the world. The server's end is established first, as in TCP.
  void establish_server();
  void establish_client();
  void fail_connect(int number);
  [[nodiscard]] bool is_wanted() const;  // the client still waits for it

  [[nodiscard]] std::uint64_t one_way_ns();

 private:
  friend class Endpoint;

  [[nodiscard]] std::size_t chunk_bytes();
  void count_delivered(std::size_t bytes);
  void strike();

  World& world_;
  std::array<ring::SocketAddress, 2> addresses_;
  std::array<Endpoint, 2> ends_;
  std::uint64_t latency_ns_;
  std::size_t chunk_bytes_max_;
  std::size_t delivered_ = 0;
  std::size_t reset_after_bytes_ = SIZE_MAX;
};

}  // namespace ringwall::sim
