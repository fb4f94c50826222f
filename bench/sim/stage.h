// stage.h: a shard as src/server makes it, on a LeanBackend, with its peers: connected, and ready to be measured.
#pragma once

#include "lean_backend.h"
#include "peers.h"

#include <ringwall/config/config.h>
#include <ringwall/shard/shard.h>
#include <ringwall/tls/ticket_keys.h>
#include <ringwall/upstream/target.h>

#include <cstdint>
#include <memory>

namespace ringwall::bench {

class Stage {
 public:
  explicit Stage(const Scenario& scenario);
  ~Stage();
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;

  [[nodiscard]] const Scenario& scenario() const { return scenario_; }

  // Turns until the clients have heard `messages` more, with what the shard's part of them took.
  struct Spent {
    std::uint64_t shard_ticks = 0;
    std::uint64_t turns = 0;
  };
  void run(std::uint64_t messages, Spent& spent);
  void push_all() { peers_->push_all(); }

 private:
  [[nodiscard]] shard::Plan plan();

  const Scenario scenario_;
  config::Config config_;
  LeanBackend backend_;
  std::unique_ptr<Peers> peers_;
  std::unique_ptr<tls::TicketKeys> ticket_keys_;
  std::unique_ptr<session::Rules> rules_;
  shard::Mailbox mailbox_;
  upstream::Target target_{"node", "127.0.0.1", 9944, 0};
  std::unique_ptr<shard::Shard> shard_;
};

}  // namespace ringwall::bench
