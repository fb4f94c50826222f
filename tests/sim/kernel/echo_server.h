// echo_server.h: the smallest honest server on Ring and BufferRing: it sends back what it receives.
//
// It meets what a proxy meets: buffers that run out, short sends, readers that are behind, resets, descriptors that run
// out, requests that must be joined before anything is freed. It runs on any backend. Owner: the test.
#pragma once

#include <ringwall/ring/buffer_ring.h>
#include <ringwall/ring/ring.h>

#include <cstddef>
#include <cstdint>
#include <list>
#include <vector>

namespace ringwall::sim {

class EchoServer {
 public:
  EchoServer(ring::Ring& ring, ring::BufferRing& buffers, int listener);
  EchoServer(const EchoServer&) = delete;
  EchoServer& operator=(const EchoServer&) = delete;
  ~EchoServer();

  // Ends the listener and resets what is open. is_stopped() when all of it has been joined and closed.
  void stop();
  [[nodiscard]] bool is_stopped() const;

  [[nodiscard]] std::size_t connections() const { return connections_.size(); }
  [[nodiscard]] std::uint64_t accepted() const { return accepted_; }

 private:
  class Connection;

  void start_accept();
  void on_accept(const ring::Completion& completion);
  void on_cancel(const ring::Completion& completion);
  void on_close(const ring::Completion& completion);
  void close_listener();

  ring::Ring& ring_;
  ring::BufferRing& buffers_;
  int listener_;
  bool stopping_ = false;
  std::uint64_t accepted_ = 0;
  std::list<Connection> connections_;
  ring::OperationOf<EchoServer, &EchoServer::on_accept> accept_{*this};
  ring::OperationOf<EchoServer, &EchoServer::on_cancel> cancel_{*this};
  ring::OperationOf<EchoServer, &EchoServer::on_close> close_{*this};
  ring::TimerOf<EchoServer, &EchoServer::start_accept> retry_{*this};
};

}  // namespace ringwall::sim
