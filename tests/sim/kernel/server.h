// server.h: simulated servers: the node's side. Accepts, refuses or ignores who connects, as the test says at the time.
//
// Owner: the test; it goes before its world.
#pragma once

#include "sim/kernel/peer.h"
#include "sim/kernel/world.h"

#include <functional>
#include <memory>
#include <vector>

namespace ringwall::sim {

class Server final : public Listener {
 public:
  Server(World& world, const ring::SocketAddress& address) : world_(world) { world.listen(address, *this); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server() { world_.stop_listening(*this); }

  Answer answer(const std::shared_ptr<Endpoint>& server_end) override {
    if (mode == Answer::accept) {
      peers_.push_back(std::make_unique<Peer>(world_, server_end));
      if (on_peer) on_peer(*peers_.back());
    }
    return mode;
  }

  Answer mode = Answer::accept;
  std::function<void(Peer&)> on_peer;  // to set its on_event, and to send what a server sends first

  // All that were ever accepted, in order.
  [[nodiscard]] const std::vector<std::unique_ptr<Peer>>& peers() const { return peers_; }

 private:
  World& world_;
  std::vector<std::unique_ptr<Peer>> peers_;
};

}  // namespace ringwall::sim
