// push.h: one subscription to pushes: notifications of chosen size at a chosen pace.
//
// The n-th is due n intervals after the start, and goes out with the timer's tick (17 ms) that follows; what a reader
// that is behind makes late goes out when there is room. None is left out. Owner: a Subscriptions.
#pragma once

#include <ringwall/ring/timer_wheel.h>

#include <cstdint>
#include <string>

#include "devnode/node.h"
#include "devnode/sink.h"

namespace ringwall::devnode {

struct Pace {
  std::uint64_t fill_bytes;
  std::uint64_t interval_ns;  // at least 1
  std::uint64_t count;        // 0: for ever
};

class Push {
 public:
  Push(Node& node, Sink& sink, std::string id, const Pace& pace);

  void start();
  void on_room() {
    if (waits_for_room_) send_due();
  }

 private:
  [[nodiscard]] bool is_done() const { return pace_.count != 0 && sent_ == pace_.count; }
  void send_due();
  void send_one();

  Node& node_;
  Sink& sink_;
  const std::string id_;
  const Pace pace_;
  std::uint64_t start_ns_ = 0;
  std::uint64_t sent_ = 0;
  bool waits_for_room_ = false;
  ring::TimerOf<Push, &Push::send_due> timer_{*this};
};

// So many bytes of x between quotes.
void append_fill(Reply& reply, const Node& node, std::uint64_t bytes);

}  // namespace ringwall::devnode
