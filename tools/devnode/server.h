// server.h: the dev node's loop: one thread, one ring, one listener, its clients and its clock.
//
// SIGTERM and SIGINT end it in order; a second one ends it at once.
#pragma once

#include <ringwall/connection/connection.h>
#include <ringwall/error.h>
#include <ringwall/ring/buffer_ring.h>
#include <ringwall/ring/ring.h>
#include <ringwall/ring/uring_backend.h>

#include <sys/signalfd.h>

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "devnode/client.h"
#include "devnode/listener.h"
#include "devnode/node.h"
#include "devnode/options.h"

namespace ringwall::devnode {

class Server final : public ClientHost {
 public:
  // `options` outlive the server. To be run on the thread that made it. Blocks SIGTERM and SIGINT for that thread.
  [[nodiscard]] static Result<std::unique_ptr<Server>> create(const Options& options, Runtime runtime);
  ~Server();

  // What it is and where, in one line.
  [[nodiscard]] std::string introduction() const;

  // Until a signal, and until all clients have gone.
  void run();

  void wait_for_room(Client& client) override { waiting_.push_back(&client); }
  void remove(Client& client) override;

 private:
  Server(const Options& options, Runtime runtime, Listener listener, std::unique_ptr<ring::UringBackend> backend,
         int signals);

  void start_accept();
  void on_accept(const ring::Completion& completion);
  void on_accept_cancelled(const ring::Completion&) {}
  void start_clock();
  void on_block_due();
  void on_signal(const ring::Completion&);
  void on_deadline();
  void tell_those_with_room();

  const Options& options_;
  Listener listener_;
  std::optional<ring::BufferRing> buffers_;  // outlives the backend, by which the kernel holds its memory
  std::unique_ptr<ring::UringBackend> backend_;
  ring::Ring ring_;
  connection::Arena arena_;
  connection::SharedBudget backlog_;
  connection::Resources resources_;
  Node node_;
  std::list<Client> clients_;
  std::vector<Client*> waiting_;  // for room
  std::uint64_t next_block_ns_;
  int signals_;
  signalfd_siginfo signal_{};
  bool is_stopping_ = false;
  ring::OperationOf<Server, &Server::on_accept> accept_{*this};
  ring::OperationOf<Server, &Server::on_accept_cancelled> cancel_accept_{*this};
  ring::OperationOf<Server, &Server::on_signal> wait_for_signal_{*this};
  ring::TimerOf<Server, &Server::start_accept> accept_again_{*this};
  ring::TimerOf<Server, &Server::on_block_due> block_timer_{*this};
  ring::TimerOf<Server, &Server::on_deadline> deadline_{*this};
};

}  // namespace ringwall::devnode
