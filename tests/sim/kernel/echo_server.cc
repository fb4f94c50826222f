#include "sim/kernel/echo_server.h"

#include <ringwall/check.h>

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <utility>

namespace ringwall::sim {

namespace {

constexpr std::uint64_t retry_ns = 20'000'000;
constexpr std::uint64_t quiet_ns_max = 120'000'000'000;  // without a byte in either direction
constexpr std::size_t backlog_bytes_max = 2 * 1024;      // then the peer is not read from

}  // namespace

class EchoServer::Connection {
 public:
  Connection(EchoServer& server, int socket) : server_(server), ring_(server.ring_), socket_(socket) {
    start_receive();
    restart_quiet_timer();
  }

  void abort() {
    if (joining_) return;
    ring_.backend().reset_on_close(socket_);
    join();
  }

 private:
  friend class EchoServer;

  void start_receive() {
    if (joining_ || ended_ || receive_.in_flight() || backlog_.size() >= backlog_bytes_max) return;
    io_uring_sqe& entry = ring_.prepare(receive_);
    io_uring_prep_recv_multishot(&entry, socket_, nullptr, 0, 0);
    entry.flags |= IOSQE_BUFFER_SELECT;
    entry.buf_group = server_.buffers_.group();
  }

  void on_receive(const ring::Completion& completion) {
    if (completion.has_buffer()) {
      const ring::Slice slice =
          server_.buffers_.take(completion.buffer_id(), static_cast<std::size_t>(completion.result));
      backlog_.insert(backlog_.end(), slice.bytes().begin(), slice.bytes().end());
    }
    if (joining_) return close_if_joined();
    if (completion.result == 0) ended_ = true;
    if (completion.result < 0 && completion.result != -ENOBUFS && completion.result != -ECANCELED &&
        completion.result != -EINTR) {
      return abort();
    }
    if (completion.result >= 0) restart_quiet_timer();
    if (completion.is_last()) {
      // The buffers that ran out come back when other handlers have run.
      completion.result == -ENOBUFS ? ring_.timers().start(retry_, ring_.now_ns() + retry_ns) : start_receive();
    } else if (backlog_.size() >= backlog_bytes_max && !cancel_.in_flight()) {
      ring_.cancel(receive_, cancel_);
    }
    send_some();
  }

  void send_some() {
    if (send_.in_flight()) return;
    if (backlog_.empty() && sending_.empty()) {
      if (ended_) finish();
      return;
    }
    if (sending_.empty()) sending_.swap(backlog_);
    io_uring_prep_send(&ring_.prepare(send_), socket_, sending_.data(), sending_.size(), MSG_NOSIGNAL);
  }

  void on_send(const ring::Completion& completion) {
    if (joining_) return close_if_joined();
    if (completion.result < 0) return abort();
    restart_quiet_timer();
    sending_.erase(sending_.begin(), sending_.begin() + completion.result);
    send_some();
    start_receive();
  }

  void finish() {
    if (joining_ || shutdown_.in_flight()) return;
    io_uring_prep_shutdown(&ring_.prepare(shutdown_), socket_, SHUT_WR);
  }

  void on_shutdown(const ring::Completion&) {
    if (joining_) return close_if_joined();
    join();
  }

  std::array<ring::Operation*, 3> operations() { return {&receive_, &send_, &shutdown_}; }

  void on_cancel(const ring::Completion& completion) {
    if (completion.result < 0) {
      for (ring::Operation* operation : operations()) operation->note_cancel_failed();
    }
    if (joining_) return close_if_joined();
  }

  void on_quiet() { abort(); }

  void restart_quiet_timer() { ring_.timers().start(quiet_, ring_.now_ns() + quiet_ns_max); }

  void join() {
    joining_ = true;
    quiet_.stop();
    retry_.stop();
    close_if_joined();
  }

  void close_if_joined() {
    if (cancel_.in_flight() || close_.in_flight()) return;
    for (ring::Operation* operation : operations()) {
      if (!operation->in_flight()) continue;
      if (!operation->is_cancelled()) ring_.cancel(*operation, cancel_);
      return;
    }
    io_uring_prep_close(&ring_.prepare(close_), socket_);
  }

  void on_close(const ring::Completion&) {
    server_.connections_.remove_if([this](const Connection& each) { return &each == this; });
  }

  EchoServer& server_;
  ring::Ring& ring_;
  int socket_;
  bool ended_ = false;    // the peer's FIN was read
  bool joining_ = false;  // over: waits for what is in flight, then closes
  std::vector<std::byte> backlog_;
  std::vector<std::byte> sending_;
  ring::OperationOf<Connection, &Connection::on_receive> receive_{*this};
  ring::OperationOf<Connection, &Connection::on_send> send_{*this};
  ring::OperationOf<Connection, &Connection::on_shutdown> shutdown_{*this};
  ring::OperationOf<Connection, &Connection::on_cancel> cancel_{*this};
  ring::OperationOf<Connection, &Connection::on_close> close_{*this};
  ring::TimerOf<Connection, &Connection::on_quiet> quiet_{*this};
  ring::TimerOf<Connection, &Connection::start_receive> retry_{*this};
};

EchoServer::EchoServer(ring::Ring& ring, ring::BufferRing& buffers, int listener)
    : ring_(ring), buffers_(buffers), listener_(listener) {
  start_accept();
}

EchoServer::~EchoServer() { RINGWALL_CHECK(is_stopped()); }

bool EchoServer::is_stopped() const { return stopping_ && listener_ < 0 && connections_.empty(); }

void EchoServer::start_accept() {
  io_uring_prep_multishot_accept(&ring_.prepare(accept_), listener_, nullptr, nullptr, SOCK_CLOEXEC);
}

void EchoServer::on_accept(const ring::Completion& completion) {
  if (completion.result >= 0) {
    ++accepted_;
    connections_.emplace_back(*this, completion.result);
    if (stopping_) connections_.back().abort();
  }
  if (!completion.is_last()) return;
  if (stopping_) return close_listener();
  completion.result >= 0 ? start_accept() : ring_.timers().start(retry_, ring_.now_ns() + retry_ns);
}

void EchoServer::stop() {
  stopping_ = true;
  retry_.stop();
  // A connection that is already joining takes care of itself.
  for (Connection& connection : connections_) connection.abort();
  if (accept_.in_flight()) ring_.cancel(accept_, cancel_);
  close_listener();
}

void EchoServer::on_cancel(const ring::Completion&) { close_listener(); }

void EchoServer::close_listener() {
  if (accept_.in_flight() || cancel_.in_flight() || close_.in_flight() || listener_ < 0) return;
  io_uring_prep_close(&ring_.prepare(close_), listener_);
}

void EchoServer::on_close(const ring::Completion&) { listener_ = -1; }

}  // namespace ringwall::sim
