// lane.h: what the clients of one thread share: the ring's resources, the plan, the tallies, and scratch memory.
//
// Owner: a Worker, on its thread. Tallies are its own until it has ended; what is told each second goes through Tick.
#pragma once

#include <ringwall/connection/connection.h>
#include <ringwall/http/head.h>
#include <ringwall/tls/client_context.h>
#include <ringwall/websocket/frame.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "load/course.h"
#include "load/item_table.h"
#include "load/plan.h"
#include "load/request_texts.h"
#include "load/result.h"

namespace ringwall::load {

class CallClient;
class Client;
class HostileClient;

// What has been seen since the last second was told.
struct Tick {
  std::uint64_t answers = 0;
  std::uint64_t errors = 0;
  Histogram latency;
};

// Clients that are told apart from others.
struct Group {
  Tally tally;
  std::uint64_t open = 0;
  std::uint64_t connecting = 0;
  std::uint64_t held = 0;     // accepted, and not ended: open, or on their way
  std::uint64_t stopped = 0;  // of them, those to whom the endpoint sends nothing more
  std::uint64_t settled = 0;  // have been opened, or have failed, once
};

// Source: Vigna, "xorshift64*".
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed | 1) {}
  [[nodiscard]] std::uint64_t next() {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return state_ * 0x2545'F491'4F6C'DD1D;
  }
  [[nodiscard]] double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }  // from [0, 1)
  [[nodiscard]] websocket::MaskKey mask_key();

 private:
  std::uint64_t state_;
};

// Whether new work may begin, and whether it is counted.
enum class Stretch : std::uint8_t { before, warmup, measured, after };

struct Lane {
  const Plan& plan;
  Course& course;
  const RequestTexts& texts;
  ItemTable& items;
  connection::Resources& resources;
  Random random;
  const tls::ClientContext* tls = nullptr;  // null: plain
  tls::ClientSession tls_session{};         // of the endpoint, to be resumed where the plan says so
  Group clients{};                          // well-behaved
  Group hostile{};
  Tick tick{};  // of the well-behaved

  Stretch stretch = Stretch::before;   // at this turn's start
  std::uint64_t calls_leased = 0;      // of Plan::calls_max
  std::uint64_t calls_finished = 0;    // of those that are counted
  std::uint64_t last_finished_ns = 0;  // when the last of those was
  std::uint64_t calls_in_flight = 0;   // of those that are counted
  std::uint64_t clients_alive = 0;     // have a connection, in whatever state

  std::vector<CallClient*> hungry{};       // may send at this turn's end
  std::vector<HostileClient*> restless{};  // the same, of the hostile
  std::vector<Client*> closed{};           // since the last turn

  // Scratch; nothing in it outlives a handler.
  http::ResponseHead head{};
  std::string text{};
  std::string out{};

  [[nodiscard]] std::uint64_t now_ns() const { return resources.ring.now_ns(); }
  // Whether one more call may be sent; it has been taken from the bound if there is one.
  [[nodiscard]] bool take_call();
  // The same for one that is counted, whatever the time is.
  [[nodiscard]] bool take_counted_call();
  // The bound leaves this thread none.
  [[nodiscard]] bool are_calls_spent() const;

  // One that was counted is over, however it went.
  void finish_call();
  // Of one that was to be counted. True: it came in time, which is before Course::end_ns.
  bool good(std::uint64_t latency_ns, Histogram& of_its_kind);
  void trouble(Group& group, Trouble trouble, std::string_view text);
};

}  // namespace ringwall::load
