// hostile_client.h: clients that mean harm, each in one way (Hostility), to see what an endpoint survives.
//
// What they meet is told apart from what the well-behaved see: as `rpc_error` (refused calls), `connection_closed` and
// `upgrade` (they were thrown out), `answers` (they were served). Who is thrown out comes again after a moment, at
// most ten a second. Owner: a Worker, on its thread; the target is the user's own to choose.
#pragma once

#include <cstdint>
#include <memory>

#include "load/client.h"

namespace ringwall::load {

class HostileClient : public Client {
 public:
  HostileClient(Lane& lane, std::uint64_t number) : Client(lane, lane.hostile, number) {}

  [[nodiscard]] static std::unique_ptr<HostileClient> create(Lane& lane, std::uint64_t number);

  // At the end of a turn in which it asked for it (Lane::restless).
  virtual void act() {}

  bool is_restless = false;  // is in Lane::restless

 protected:
  void on_open() override {}
  // A good answer, or an error; what is no JSON-RPC at all ends the connection.
  void on_message(const Message& message) override;
  virtual void on_answer() {}
  void ask_to_act();
  void say_call(std::string_view method, std::string_view params);

  std::uint64_t last_id_ = 0;
};

// The kinds, each in the file of its sort (hostile_calls.cc, hostile_connections.cc).
[[nodiscard]] std::unique_ptr<HostileClient> make_slow_reader(Lane& lane, std::uint64_t number);
[[nodiscard]] std::unique_ptr<HostileClient> make_flood(Lane& lane, std::uint64_t number);
[[nodiscard]] std::unique_ptr<HostileClient> make_denied_caller(Lane& lane, std::uint64_t number);
[[nodiscard]] std::unique_ptr<HostileClient> make_batch_caller(Lane& lane, std::uint64_t number);
[[nodiscard]] std::unique_ptr<HostileClient> make_slow_head(Lane& lane, std::uint64_t number);
[[nodiscard]] std::unique_ptr<HostileClient> make_churner(Lane& lane, std::uint64_t number);
[[nodiscard]] std::unique_ptr<HostileClient> make_hello_sayer(Lane& lane, std::uint64_t number);

}  // namespace ringwall::load
