// acceptor.h: takes the clients of one listening socket, as long as there is room for them.
//
// One accept on the shard's ring, multishot where there is room for a burst. At the bound of connections, or when the
// process has no descriptors left, it pauses, and clients wait in this socket's queue: the kernel has dealt them out
// (SO_REUSEPORT), and none goes to another shard, though there may be room. Those whom the kernel had accepted
// meanwhile are reset: the bound holds. Owner: the shard; it owns the socket.
// Source: io_uring_prep_multishot_accept(3) (5.19).
#pragma once

#include <ringwall/ring/ring.h>
#include <ringwall/session/service.h>

#include <cstddef>
#include <cstdint>

namespace ringwall::shard {

class Acceptor {
 public:
  Acceptor(session::Service& service, const session::ListenerService& listener, int socket, std::size_t sessions_max);
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;
  ~Acceptor();

  // Once a turn: accepts where there is room, and no longer where there is none.
  void resume();
  // Looks into the socket's queue anew. Of several processes that wait at one socket the kernel wakes one for each
  // client, and where that one has just given up waiting, nobody.
  void look_again();
  // No more clients but those that the kernel has accepted already; the socket closes once it has let go of it. What
  // waits in the queue of a socket that another process has too is that one's.
  void stop();
  [[nodiscard]] bool is_stopped() const { return socket_ < 0; }

  [[nodiscard]] std::uint64_t times_full() const { return times_full_; }
  [[nodiscard]] std::uint64_t clients_refused() const { return clients_refused_; }

 private:
  void start(bool many);
  void on_accept(const ring::Completion& completion);
  void on_cancel(const ring::Completion& completion);
  void on_timer();
  [[nodiscard]] std::size_t room() const;
  void refuse(int socket);
  void close_if_joined();

  session::Service& service_;
  const session::ListenerService& listener_;
  const std::size_t sessions_max_;
  int socket_;
  bool stopping_ = false;
  bool is_pausing_ = false;  // after an error
  bool full_ = false;
  bool accepts_many_ = false;  // of the accept in flight: it is multishot
  std::uint64_t times_full_ = 0;
  std::uint64_t clients_refused_ = 0;
  ring::OperationOf<Acceptor, &Acceptor::on_accept> accept_{*this};
  ring::OperationOf<Acceptor, &Acceptor::on_cancel> cancel_{*this};
  ring::TimerOf<Acceptor, &Acceptor::on_timer> timer_{*this};
};

}  // namespace ringwall::shard
