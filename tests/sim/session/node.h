// node.h: a simulated node: WebSocket echo, POST echo, a tunnel's far end, and every bad habit that a node can have.
//
// Owner: the run. It answers each connection by what its request asks for, and draws its habits from the world.
#pragma once

#include "sim/kernel/server.h"
#include "sim/session/ledger.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

namespace ringwall::sim {

class Node {
 public:
  // `habits_rate`: how likely a connection is to meet a bad habit.
  Node(World& world, const ring::SocketAddress& address, Ledger& ledger, double habits_rate);

 private:
  enum class Habit : std::uint8_t {
    none,
    never_answers,
    closes_at_once,
    answers_garbage,
    refuses_upgrade,
    wrong_accept,
    at_its_limit,
    dies_in_the_middle,
    breaks_frames,
    never_reads,
    resets,
    last,
  };
  struct Line {
    std::string input;
    Habit habit = Habit::none;
    std::uint64_t client = 0;
    bool upgraded = false;
    bool tunnel = false;
    bool closing = false;
    std::uint64_t frames_until_death = 0;
  };

  void greet(Peer& peer);
  void read(Peer& peer);
  [[nodiscard]] bool read_request(Peer& peer, Line& line);
  void upgrade(Peer& peer, Line& line, const std::string& head);
  void answer_post(Peer& peer, Line& line, const std::string& body);
  void read_frames(Peer& peer, Line& line);
  void say(Peer& peer, Line& line, const Message& message);

  World& world_;
  Ledger& ledger_;
  const double habits_rate_;
  std::map<Peer*, Line> lines_;  // looked up, never gone through
  Server server_;
};

}  // namespace ringwall::sim
