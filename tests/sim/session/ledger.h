// ledger.h: what each client of a run said and heard, and what the node heard and said on its behalf.
//
// The two ends of a session meet only here: clients and nodes write, the oracle compares. A client is known to the node
// by the path it asks for, "/c/NUMBER".
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace ringwall::sim {

struct Message {
  unsigned opcode;
  std::string payload;
  bool operator==(const Message&) const = default;
};

struct Account {
  // WebSocket.
  std::vector<Message> client_said;
  std::vector<Message> node_heard;
  std::vector<Message> node_said;
  std::vector<Message> client_heard;  // without Ringwall's own answers
  std::uint64_t denied_said = 0;      // messages, or bodies, that must not reach the node; not in client_said or posted
  std::uint64_t refusals = 0;         // Ringwall's own answers, to what is denied and to what was over a limit
  unsigned client_close = 0;          // the code that this side sent first, 0: none
  unsigned node_close = 0;
  unsigned close_at_client = 0;  // the code that reached this side, 0: none
  unsigned close_at_node = 0;
  // Bytes through a tunnel.
  std::string tunnel_said, tunnel_at_node, node_tunnel_said, tunnel_heard;
  // POST.
  std::vector<std::string> posted;
  std::map<std::string, unsigned> executed;  // a body, and how often the node got it
  std::vector<std::string> answers;          // bodies of the 200s that the client got, in order
  unsigned other_answers = 0;                // Ringwall's own: 502, 503, 504, ...
  bool node_misbehaved = false;
  bool done = false;  // the client has got all that it came for
};

using Ledger = std::map<std::uint64_t, Account>;

}  // namespace ringwall::sim
