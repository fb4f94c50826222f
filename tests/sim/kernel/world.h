// world.h: everything outside the program under test: time, chance, faults, the network, and what is written down.
//
// One world holds one or more simulated kernels (shards), the peers and the servers; it outlives them all. When a run
// fails, by an oracle here, a failed check, a signal or a test's assertion, the world prints its story: the seed first,
// then the faults and the last events.
#pragma once

#include <ringwall/ring/backend.h>

#include "sim/kernel/event_queue.h"
#include "sim/kernel/faults.h"
#include "sim/kernel/random.h"
#include "sim/kernel/tcp.h"
#include "sim/kernel/trace.h"

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace ringwall::sim {

// The bounds of what a connection's path is drawn from.
struct Paths {
  std::uint64_t latency_ns_max = 100 * millisecond;
  std::size_t chunk_bytes_max = 64 * 1024;
  std::size_t buffer_bytes_min = 512;  // of each direction at each end
  std::size_t buffer_bytes_max = 256 * 1024;
};

struct Settings {
  std::uint64_t seed = 1;
  Faults faults{};
  Paths paths{};
  std::uint64_t run_ns_max = 24 * 3600 * second;  // virtual; longer is a failure
  std::uint64_t quiet_ns_max = 3600 * second;     // so long without progress is a failure
  std::uint64_t quiet_enters_max = 1'000'000;     // so many without progress too: the program turns in circles
};

enum class Answer : std::uint8_t { accept, refuse, ignore };

// Something that is listening at an address.
class Listener {
 public:
  [[nodiscard]] virtual Answer answer(const std::shared_ptr<Endpoint>& server_end) = 0;

 protected:
  ~Listener() = default;
};

// How a connect is to go; `answer` other than accept overrules the listener.
struct ConnectFate {
  std::uint64_t delay_ns = 0;
  Answer answer = Answer::accept;
};

class World {
 public:
  explicit World(const Settings& settings);
  World(const World&) = delete;
  World& operator=(const World&) = delete;
  ~World();

  [[nodiscard]] Random& random() { return random_; }
  [[nodiscard]] EventQueue& events() { return events_; }
  [[nodiscard]] const Faults& faults() const { return settings_.faults; }
  [[nodiscard]] const Paths& paths() const { return settings_.paths; }
  // From here on; for a scenario that needs calm after the storm.
  void set_faults(const Faults& faults) { settings_.faults = faults; }

  // The network. Several may listen at an address (SO_REUSEPORT): one is drawn.
  void listen(const ring::SocketAddress& address, Listener& listener);
  void stop_listening(Listener& listener);
  [[nodiscard]] std::shared_ptr<Endpoint> connect(const ring::SocketAddress& from, const ring::SocketAddress& to,
                                                  ConnectFate fate = {});

  // What is written down. `format` has a %ld for each value.
  template <typename... Values>
  void trace(const char* format, Values... values) {
    trace_.add(events_.now_ns(), format, values...);
  }

  // Bytes moved, or a connection came, ended or failed.
  void note_progress() {
    progress_ns_ = events_.now_ns();
    enters_since_progress_ = 0;
  }
  // To be called when a kernel is entered and between events.
  void check_bounds();
  void count_enter() { ++enters_since_progress_; }

  // Prints the story and aborts.
  [[noreturn]] void fail(const char* what);
  void print_story(std::FILE* out) const;

 private:
  void knock(const std::shared_ptr<Connection>& connection, const ring::SocketAddress& to, Answer fate,
             std::uint64_t retry_ns);
  [[nodiscard]] Listener* listener_at(const ring::SocketAddress& address);

  Settings settings_;
  Random random_;
  EventQueue events_;
  Trace trace_;
  std::map<std::string, std::vector<Listener*>> listeners_;  // by the bytes of the address
  std::uint64_t start_ns_;
  std::uint64_t progress_ns_;
  std::uint64_t enters_since_progress_ = 0;
  int exceptions_at_start_;
};

// "203.0.113.7" or "2001:db8::7".
[[nodiscard]] ring::SocketAddress address_of(const char* text, std::uint16_t port);

}  // namespace ringwall::sim
