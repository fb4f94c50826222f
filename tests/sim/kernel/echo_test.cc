// Bytes in equal bytes out, through an echo server on Ring and BufferRing: over the simulated kernel with any faults
// that a seed draws, and over Linux.
#include "sim/kernel/echo_server.h"
#include "sim/kernel/peer.h"
#include "sim/kernel/sim_kernel.h"
#include "unit/catch.h"

#include <ringwall/ring/uring_backend.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace ringwall::sim {
namespace {

std::string text_of(std::uint64_t seed, std::size_t bytes) {
  Random random(seed);
  std::string text(bytes, '\0');
  for (char& character : text) character = static_cast<char>(random.next());
  return text;
}

// A client that says something and wants to hear it again, unless it has a habit.
class Client {
 public:
  enum class Habit : std::uint8_t { none, reads_slowly, never_reads, resets, closes_at_once, vanishes };

  Client(World& world, std::uint64_t number) : world_(world), peer_(world) {
    Random& random = world.random();
    const std::uint64_t text = random.next();
    payload_ = text_of(text, random.skewed(0, 64 * 1024));
    if (random.below(3) == 0) habit_ = static_cast<Habit>(random.between(1, 5));
    if (habit_ == Habit::reads_slowly) peer_.read_slowly(random.skewed(1024, 16 * 1024), 100 * millisecond);
    if (habit_ == Habit::never_reads) peer_.stop_reading();
    world.events().after(random.skewed(0, second), [this, number] { begin(number); });
    if (habit_ == Habit::resets) world.events().after(random.skewed(0, 2 * second), [this] { peer_.reset(); });
    if (habit_ == Habit::vanishes) world.events().after(random.skewed(0, 2 * second), [this] { peer_.vanish(); });
  }

  [[nodiscard]] bool is_over() const { return begun_ && (peer_.is_over() || habit_ == Habit::never_reads); }
  [[nodiscard]] bool hears_a_prefix() const { return payload_.starts_with(peer_.received()); }
  [[nodiscard]] bool hears_all() const { return peer_.received() == payload_ && peer_.has_ended(); }
  // What is undone by nothing but its own end.
  [[nodiscard]] bool is_well_behaved() const { return habit_ == Habit::none || habit_ == Habit::reads_slowly; }
  [[nodiscard]] int error() const { return peer_.error(); }

 private:
  void begin(std::uint64_t number) {
    begun_ = true;
    if (habit_ == Habit::closes_at_once || !peer_.is_over()) return;
    peer_.connect(address_of("192.0.2.1", 443), address_of("203.0.113.1", static_cast<std::uint16_t>(1024 + number)));
    say_some();
  }

  void say_some() {
    const std::size_t size = std::min<std::size_t>(payload_.size() - said_, world_.random().skewed(1, 32 * 1024));
    peer_.send(std::string_view(payload_).substr(said_, size));
    said_ += size;
    if (said_ == payload_.size()) return peer_.half_close();
    world_.events().after(world_.random().skewed(0, 100 * millisecond), [this] { say_some(); });
  }

  World& world_;
  Peer peer_;
  Habit habit_ = Habit::none;
  std::string payload_;
  std::size_t said_ = 0;
  bool begun_ = false;
};

struct Outcome {
  std::uint64_t end_ns;
  std::uint64_t drawn;  // by the same number of draws, so the same number follows
  std::uint64_t completions;
  bool operator==(const Outcome&) const = default;
};

Outcome run(std::uint64_t seed) {
  Random random(seed * 2 + 1);  // for the set-up; the world has its own
  Settings settings;
  settings.seed = seed;
  settings.faults = Faults::drawn(random);
  settings.quiet_ns_max = 600 * second;
  World world(settings);
  KernelSettings kernel_settings;
  kernel_settings.submission_entries = 1U << random.between(1, 6);
  kernel_settings.completion_entries = kernel_settings.submission_entries << random.between(1, 3);
  kernel_settings.descriptors_max = static_cast<unsigned>(random.between(3, 32));
  auto kernel = std::make_unique<SimKernel>(world, kernel_settings);
  const int listener = kernel->open_listener(address_of("0.0.0.0", 443));
  const auto buffer_count = static_cast<std::uint16_t>(1U << random.below(6));
  const auto buffer_bytes = static_cast<std::uint32_t>(random.skewed(16, 16 * 1024));
  ring::BufferRing buffers(*kernel, 1, buffer_count, buffer_bytes);
  ring::Ring ring(*kernel);
  std::vector<std::unique_ptr<Client>> clients;
  for (std::uint64_t left = random.between(1, 8); left > 0; --left) {
    clients.push_back(std::make_unique<Client>(world, left));
  }
  {
    EchoServer server(ring, buffers, listener);
    const auto is_over = [](const auto& client) { return client->is_over(); };
    while (!std::ranges::all_of(clients, is_over) || server.connections() > 0) ring.turn(second);
    server.stop();
    while (!server.is_stopped()) ring.turn(second);
  }
  for (const auto& client : clients) {
    REQUIRE(client->hears_a_prefix());
    if (client->is_well_behaved() && settings.faults.connection_reset == 0) {
      INFO("error " << client->error());
      REQUIRE(client->hears_all());
    }
  }
  REQUIRE(ring.operations_in_flight() == 0);
  REQUIRE(kernel->operations_in_flight() == 0);
  REQUIRE(kernel->descriptors_open() == 0);
  REQUIRE(kernel->buffers_held() == 0);
  REQUIRE(buffers.available() == buffers.count());
  return {world.events().now_ns(), world.random().next(), ring.counters().completions};
}

std::uint64_t seeds_wanted() {
  const char* wanted = std::getenv("RINGWALL_SIM_SEEDS");
  return wanted != nullptr ? std::strtoull(wanted, nullptr, 10) : 2000;
}

}  // namespace

TEST_CASE("over any faults, what comes back is what was said, or a prefix after a reset, and all is freed", "[seeds]") {
  for (std::uint64_t seed = 1; seed <= seeds_wanted(); ++seed) (void)run(seed);
}

TEST_CASE("one seed is one run: the same end, to the nanosecond") {
  for (const std::uint64_t seed : {3, 17, 1000}) REQUIRE(run(seed) == run(seed));
}

TEST_CASE("a seed from the environment is run alone", "[.replay]") {
  const char* seed = std::getenv("RINGWALL_SIM_SEED");
  if (seed == nullptr) FAIL("RINGWALL_SIM_SEED is not set");
  const Outcome outcome = run(std::strtoull(seed, nullptr, 10));
  WARN("seed " << seed << " ended at " << outcome.end_ns << " ns after " << outcome.completions << " completions");
}

TEST_CASE("over Linux, what comes back is what was said, and all is freed") {
  auto backend = ring::UringBackend::create(8);
  if (!backend) FAIL(backend.error().message);
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t address_bytes = sizeof address;
  REQUIRE(bind(listener, reinterpret_cast<sockaddr*>(&address), address_bytes) == 0);
  REQUIRE(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &address_bytes) == 0);
  REQUIRE(listen(listener, 16) == 0);

  constexpr int clients = 6;
  constexpr std::size_t payload_bytes = 3 * 1024 * 1024;
  std::atomic<int> heard_all = 0;
  std::atomic<int> over = 0;
  const auto talk = [&](std::uint64_t number) {
    const std::string payload = text_of(number, payload_bytes);
    std::string heard(payload_bytes, '\0');
    const int talker = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    setsockopt(talker, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(talker, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (connect(talker, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      std::thread listening([&] {
        const bool all = recv(talker, heard.data(), heard.size(), MSG_WAITALL) == static_cast<ssize_t>(heard.size());
        char end = 0;
        if (all && heard == payload && recv(talker, &end, 1, 0) == 0) ++heard_all;
      });
      for (std::size_t said = 0; said < payload.size();) {
        const ssize_t count = send(talker, payload.data() + said, payload.size() - said, MSG_NOSIGNAL);
        if (count <= 0) break;
        said += static_cast<std::size_t>(count);
      }
      shutdown(talker, SHUT_WR);
      listening.join();
    }
    close(talker);
    ++over;
  };

  ring::Ring ring(**backend);
  ring::BufferRing buffers(**backend, 1, 4, 16 * 1024);
  REQUIRE(buffers.error() == 0);
  {
    EchoServer server(ring, buffers, listener);
    std::vector<std::thread> threads;
    for (int number = 0; number < clients; ++number) threads.emplace_back(talk, number);
    while (over < clients) ring.turn(10 * millisecond);
    for (std::thread& thread : threads) thread.join();
    server.stop();
    while (!server.is_stopped()) ring.turn(10 * millisecond);
    REQUIRE(server.accepted() == clients);
  }
  REQUIRE(heard_all == clients);
  REQUIRE(ring.operations_in_flight() == 0);
  REQUIRE(buffers.available() == buffers.count());
}

}  // namespace ringwall::sim
