// holding_client.h: a client that is there and says nothing but pongs; and one that subscribes and is notified.
//
// Neither comes again once its connection has ended: how many are left is what is asked. Owner: a Worker.
#pragma once

#include <cstdint>
#include <string>

#include "load/client.h"

namespace ringwall::rpc {
struct Answer;
}

namespace ringwall::load {

class IdleClient : public Client {
 public:
  IdleClient(Lane& lane, std::uint64_t number) : Client(lane, lane.clients, number) {}

  [[nodiscard]] std::uint64_t again_at_ns() const override { return never_ns; }

 private:
  void on_open() override {}
  void on_message(const Message&) override;
};

class SubscribeClient final : public IdleClient {
 public:
  using IdleClient::IdleClient;

 private:
  void on_open() override;
  void on_message(const Message& message) override;
  void on_end() override;
  void on_timer() override { lose(Trouble::answer_timeout, lane_.plan.subscribe_method); }
  void on_notification(const rpc::Answer& notification, const Message& message);

  std::string subscription_;  // raw JSON; empty: the answer has not come
};

}  // namespace ringwall::load
