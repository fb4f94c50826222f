// relay.h: what a WebSocket session knows beyond its two connections. Owner: one Session, from the 101 to the end.
#pragma once

#include <ringwall/quota/admission.h>
#include <ringwall/ring/slice.h>
#include <ringwall/session/answer_reader.h>
#include <ringwall/session/assembly_budget.h>
#include <ringwall/session/call_table.h>
#include <ringwall/websocket/client_messages.h>
#include <ringwall/websocket/control_frame.h>
#include <ringwall/websocket/node_frames.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ringwall::session {

// When a side was last heard, and last asked whether it is there.
struct Liveness {
  std::uint64_t heard_ns;
  std::uint64_t pinged_ns;
};

struct Relay {
  Relay(std::uint32_t message_bytes_max, AssemblyBudget& budget, const AddressBytes& key, const HashSeed& seed,
        std::uint64_t now_ns)
      : messages(message_bytes_max), calls(seed), charge(budget, key), client{now_ns, now_ns}, node{now_ns, now_ns} {}

  websocket::ClientMessages messages;
  websocket::NodeFrames frames;
  AnswerReader answers{};
  CallTable calls;
  AssemblyCharge charge;                               // of the message in assembly
  std::vector<ring::Slice> held{};                     // the client's bytes that wait to be read
  std::unique_ptr<websocket::ClientMessages> pings{};  // one cut in two behind a message that is kept back
  std::uint64_t kept_since_ns = 0;                     // when the message that is kept back was; 0: there is none
  std::uint64_t kept_until_ns = 0;                     // when it is tried again
  quota::Request kept_request{};                       // what it costs
  bool kept_is_unread = false;                         // that is for its bytes alone
  std::string owed{};                  // frames of our answers, until no message of the node is under way
  std::size_t owed_charged = 0;        // of its memory, to the backlog
  std::uint64_t message_since_ns = 0;  // when the unfinished message began; 0: there is none
  Liveness client;
  Liveness node;
  // Frames of ours for the client that wait for the end of the node's frame.
  std::unique_ptr<websocket::ControlFrame> pong_due{};
  std::unique_ptr<websocket::ControlFrame> close_due{};
  bool ping_due = false;

  [[nodiscard]] bool owes_frame() const { return pong_due || close_due || ping_due || !owed.empty(); }
};

}  // namespace ringwall::session
