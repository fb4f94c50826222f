// handshake_client.h: connects, upgrades (POST: asks once), leaves in order, and begins again.
//
// One round is the whole of it; latency is from connect() to the 101 (POST: to the answer). A round that began before
// the measured time is not counted. Owner: a Worker.
#pragma once

#include <cstdint>

#include "load/client.h"

namespace ringwall::load {

class HandshakeClient final : public Client {
 public:
  HandshakeClient(Lane& lane, std::uint64_t number) : Client(lane, lane.clients, number) {}

  [[nodiscard]] std::uint64_t again_at_ns() const override;
  // Takes the round from the bound, if there is one. False: there is none left, or it is not the time.
  [[nodiscard]] bool may_start() override;

 private:
  void on_open() override;
  void on_message(const Message& message) override;
  void on_end() override;
  void on_timer() override { lose(Trouble::answer_timeout, {}); }

  void done();

  bool is_counted_ = false;
  bool succeeded_ = false;
};

}  // namespace ringwall::load
