// stage.h: a ring and the peers around it, on Linux or on the simulated kernel: the same play is given on both.
#pragma once

#include <ringwall/ring/buffer_ring.h>
#include <ringwall/ring/ring.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::sim {

class StagePeer {
 public:
  StagePeer() = default;
  StagePeer(const StagePeer&) = delete;
  StagePeer& operator=(const StagePeer&) = delete;
  virtual ~StagePeer() = default;

  virtual void send(std::string_view bytes) = 0;
  virtual void half_close() = 0;
  virtual void reset() = 0;
  virtual void leave() = 0;  // closes its socket
  virtual void stop_reading() = 0;
  virtual void read_on() = 0;
  // What it has seen: "", "closed" after a FIN, or the name of an errno.
  [[nodiscard]] virtual std::string end() const = 0;
  [[nodiscard]] virtual std::string heard() const = 0;
};

class Stage {
 public:
  static constexpr std::uint16_t buffers_max = 16;

  Stage() = default;
  Stage(const Stage&) = delete;
  Stage& operator=(const Stage&) = delete;
  virtual ~Stage() = default;

  [[nodiscard]] virtual ring::Ring& ring() = 0;
  [[nodiscard]] virtual ring::BufferRing& buffers() = 0;
  [[nodiscard]] virtual int listener() = 0;
  [[nodiscard]] virtual std::unique_ptr<StagePeer> enter_peer() = 0;  // connects to the listener
  [[nodiscard]] virtual ring::SocketAddress server_address() = 0;
  [[nodiscard]] virtual std::unique_ptr<StagePeer> server_peer() = 0;  // the server's end of what connected to it
  [[nodiscard]] virtual ring::SocketAddress address_of_nobody() = 0;
  [[nodiscard]] virtual int open_mailbox() = 0;
  virtual void signal_mailbox(int mailbox) = 0;
  virtual void allow_descriptors(bool allowed) = 0;
  // Of its kernel. A second key for a direction is taken since Linux 6.14.
  [[nodiscard]] virtual bool has_tls() = 0;
  [[nodiscard]] virtual bool takes_second_tls_key() = 0;
  // Lets the ring turn until all that was begun has had its effect.
  virtual void settle() = 0;
};

[[nodiscard]] std::unique_ptr<Stage> make_sim_stage(std::uint64_t seed, bool takes_second_tls_key = false);
[[nodiscard]] std::unique_ptr<Stage> make_linux_stage();

}  // namespace ringwall::sim
