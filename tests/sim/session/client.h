// client.h: a simulated client: a WebSocket, a tunnel, a keep-alive of POSTs, or noise; with habits good and bad.
//
// Owner: the run. It draws what it says and how it behaves from the world, writes what it said and heard to the ledger,
// and fails the run when it gets what no client may get.
#pragma once

#include "sim/kernel/peer.h"
#include "sim/session/frames.h"
#include "sim/session/ledger.h"

#include <cstdint>
#include <string>

namespace ringwall::sim {

class Client {
 public:
  enum class Kind : std::uint8_t { websocket, tunnel, post, noise };
  enum class Habit : std::uint8_t {
    none,
    reads_slowly,
    never_reads,
    resets,
    vanishes,
    half_closes,
    breaks_frames,
    last
  };

  Client(World& world, std::uint64_t number, Account& account, double habits_rate, std::size_t message_bytes_max);

  // `behind_balancer`: a PROXY header goes before all that it says.
  void begin(const ring::SocketAddress& rpc, const ring::SocketAddress& tunnel, bool behind_balancer);

  [[nodiscard]] Kind kind() const { return kind_; }
  [[nodiscard]] bool is_well_behaved() const { return habit_ == Habit::none || habit_ == Habit::reads_slowly; }
  [[nodiscard]] bool is_over() const { return begun_ && (peer_.is_over() || given_up_); }
  void leave() { peer_.close(); }

 private:
  void on_event();
  void ask_upgrade(const std::string& path);
  void say_next_message();
  void hear_frames();
  void hear_message(Frame&& frame);
  void hear_tunnel();
  void say_into_tunnel();
  void post_next();
  void hear_answers();
  [[nodiscard]] bool take_answer(std::string& body, unsigned& status);
  void make_noise();
  [[nodiscard]] std::string proxy_header() const;
  [[nodiscard]] std::uint32_t key();
  [[nodiscard]] std::string text(std::size_t bytes);
  [[nodiscard]] std::string next_call(bool denied);

  World& world_;
  const std::uint64_t number_;
  Account& account_;
  const std::size_t message_bytes_max_;
  Peer peer_;
  Kind kind_;
  Habit habit_ = Habit::none;
  std::string input_;
  std::uint64_t messages_left_;
  std::uint64_t calls_ = 0;
  std::string assembled_;
  unsigned assembled_opcode_ = 0;
  bool begun_ = false;
  bool upgraded_ = false;
  bool closed_ = false;  // a Close came: nothing may follow
  bool said_close_ = false;
  bool given_up_ = false;
};

}  // namespace ringwall::sim
