// peer.h: a simulated TCP peer, at the mercy of the test: a client out there, or one connection of a simulated server.
//
// It acts only in events of the world, after a moment of its own, so a test may give it orders from anywhere. By
// default it reads all that comes, at once. Owner: the test, or its Server. A handler may not destroy the peer.
#pragma once

#include "sim/kernel/byte_queue.h"
#include "sim/kernel/tcp.h"
#include "sim/kernel/world.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace ringwall::sim {

class Peer {
 public:
  explicit Peer(World& world) : world_(world) {}
  Peer(World& world, std::shared_ptr<Endpoint> accepted);
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  ~Peer() { close(); }

  void connect(const ring::SocketAddress& to, const ring::SocketAddress& from);

  void send(std::string_view bytes);  // queued here without bound, and written as the socket takes it
  void send(std::span<const std::byte> bytes);
  void half_close();  // when all that was queued has been written
  void close();       // now, as when its process ends: what is queued is lost, unread bytes make it a reset
  void reset();
  void vanish();

  // At most so many bytes each so often. 0 bytes: never again, until this is called again.
  void read_slowly(std::size_t bytes, std::uint64_t interval_ns);
  void read_at_once() { read_slowly(SIZE_MAX, 0); }
  void stop_reading() { read_slowly(0, 0); }

  // Called when it got connected or failed to, when something was received, at the end, and on an error.
  std::function<void(Peer&)> on_event;

  [[nodiscard]] const std::string& received() const { return received_; }
  [[nodiscard]] std::string take_received() { return std::exchange(received_, {}); }
  [[nodiscard]] std::size_t queued() const { return outbox_.size(); }
  [[nodiscard]] bool is_connected() const { return connected_; }
  [[nodiscard]] bool has_ended() const { return ended_; }  // the other side's FIN was read
  [[nodiscard]] int error() const { return error_; }       // a positive errno; 0: none so far
  [[nodiscard]] bool is_over() const { return ended_ || error_ != 0 || endpoint_ == nullptr; }

 private:
  void attach(std::shared_ptr<Endpoint> endpoint);
  void act_later(std::uint64_t delay_ns);
  void act();
  [[nodiscard]] bool write_some();
  [[nodiscard]] bool read_some();

  World& world_;
  std::shared_ptr<Endpoint> endpoint_;
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  ByteQueue outbox_;
  std::string received_;
  std::size_t read_bytes_ = SIZE_MAX;
  std::uint64_t read_interval_ns_ = 0;
  std::uint64_t read_next_ns_ = 0;
  std::uint64_t act_due_ns_ = EventQueue::never;
  int error_ = 0;
  bool connected_ = false;
  bool half_close_wanted_ = false;
  bool half_closed_ = false;
  bool ended_ = false;
};

}  // namespace ringwall::sim
