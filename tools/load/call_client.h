// call_client.h: a client that makes the calls of the mix and checks what comes back.
//
// Closed loop: it keeps `depth` calls in flight, the next one leaves when an answer comes. Open loop: a CallQueue hands
// it calls that are due. Each call that was sent ends as a good answer or as exactly one Trouble. Owner: a Worker.
//
// A call that subscribes is answered as any other; its subscription is ended once it has notified, by a call beside
// those of the mix that is not counted as one. Source: JSON-RPC 2.0; jsonrpsee's subscriptions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "load/client.h"
#include "load/in_flight.h"

namespace ringwall::rpc {
struct Answer;
}

namespace ringwall::load {

class CallQueue;

class CallClient final : public Client {
 public:
  // `queue`: of an open loop; null: closed.
  CallClient(Lane& lane, std::uint64_t number, CallQueue* queue);

  // Closed loop, at the end of a turn in which it asked for it (Lane::hungry): as many calls as it has room for.
  void feed(std::uint64_t now_ns);

  [[nodiscard]] bool has_room() const { return is_open() && calls_ < depth_ && !is_congested(); }
  // Open loop, with has_room().
  void call(std::uint64_t intended_ns, std::uint64_t now_ns, bool is_counted);

  // The run is over: calls in flight are as if they had not been made, but for Flow::calls_unanswered.
  void forget_calls();

  bool is_hungry = false;  // is in Lane::hungry
  bool is_queued = false;  // is in the CallQueue

 private:
  struct Subscription {
    std::string id;  // raw JSON
    std::uint32_t index;
    std::uint64_t since_ns;
  };

  void on_open() override;
  void on_message(const Message& message) override;
  void on_bad_status(std::string_view text) override;
  void on_end() override;
  void on_timer() override;
  void on_room() override { ask_for_calls(); }

  void ask_for_calls();
  void send_call(std::uint32_t index, const CallInFlight& call);
  void on_answer(const rpc::Answer& answer, const Message& message);
  void check(const CallInFlight& call, const rpc::Answer& answer, const Message& message);
  void on_notification(const rpc::Answer& notification);
  void fail_call(const CallInFlight& call, Trouble trouble, std::string_view text);
  void over(const CallInFlight& call);
  void begin_subscription(std::string_view id, std::uint32_t index);
  void unsubscribe(const Subscription& subscription);

  const std::uint32_t depth_;
  const std::uint32_t unsubscribes_max_;  // in flight beside `depth_` calls
  CallQueue* queue_;
  InFlight in_flight_;
  std::uint32_t calls_ = 0;  // in flight, without what unsubscribes
  std::vector<Subscription> subscriptions_;
};

}  // namespace ringwall::load
