// Each fault alone, at rate 1 or near it: it happens, and what must hold all the same does.
#include "sim/kernel/peer.h"
#include "sim/kernel/server.h"
#include "sim/kernel/sim_kernel.h"
#include "sim/kernel/submitter.h"
#include "unit/catch.h"

#include <ringwall/ring/buffer_ring.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace ringwall::sim {
namespace {

Settings settings_with(double Faults::* fault, double rate, std::uint64_t seed) {
  Settings settings;
  settings.seed = seed;
  settings.paths.latency_ns_max = millisecond;
  settings.faults.*fault = rate;
  return settings;
}

// A kernel with one fault, a listener, and sockets that have been accepted on it.
struct Scene {
  explicit Scene(const Settings& settings, const KernelSettings& kernel_settings = {})
      : world(settings), kernel(world, kernel_settings), buffers(kernel, 1, 8, 64), ring(kernel) {}

  void run_for(std::uint64_t ns) {
    for (const std::uint64_t until = kernel.now_ns() + ns; kernel.now_ns() < until;) ring.turn(millisecond);
  }

  // The peer is connected and accepted in a calm moment.
  int accept(Peer& peer) {
    const Faults faults = world.faults();
    world.set_faults({});
    peer.connect(address_of("192.0.2.1", 443), address_of("203.0.113.1", 1024));
    Recorded accept(ring);
    io_uring_prep_accept(&accept.prepare(), listener, nullptr, nullptr, 0);
    while (!accept.has_ended()) ring.turn(millisecond);
    world.set_faults(faults);
    return accept.completions.back().result;
  }

  void receive_multishot(Recorded& receive, int socket) {
    io_uring_sqe& entry = receive.prepare();
    io_uring_prep_recv_multishot(&entry, socket, nullptr, 0, 0);
    entry.flags |= IOSQE_BUFFER_SELECT;
    entry.buf_group = 1;
  }

  // Ends what is in flight and closes.
  void put_away(Recorded& request, int socket) {
    world.set_faults({});
    Recorded cancel(ring);
    if (!request.has_ended()) ring.cancel(request.operation(), cancel.operation());
    while (!request.has_ended() || !cancel.has_ended()) ring.turn(millisecond);
    for (const ring::Completion& completion : request.completions) {
      if (completion.has_buffer()) (void)buffers.take(completion.buffer_id(), 0);
    }
    kernel.close_socket(socket);
  }

  World world;
  SimKernel kernel;
  int listener = kernel.open_listener(address_of("0.0.0.0", 443));
  ring::BufferRing buffers;
  ring::Ring ring;
};

}  // namespace

TEST_CASE("a multishot receive that ends by itself has given its last bytes without the flag for more") {
  Scene scene(settings_with(&Faults::multishot_ends, 1, 1));
  Peer peer(scene.world);
  const int socket = scene.accept(peer);
  Recorded receive(scene.ring);
  scene.receive_multishot(receive, socket);
  peer.send("hello");
  scene.run_for(100 * millisecond);
  REQUIRE(receive.has_ended());
  REQUIRE(receive.completions.size() == 1);
  REQUIRE(receive.completions[0].result > 0);
  REQUIRE(receive.completions[0].has_buffer());
  scene.put_away(receive, socket);
}

TEST_CASE("a receive may find no buffer although there are some, and its bytes are still there for the next") {
  Scene scene(settings_with(&Faults::no_buffers, 1, 2));
  Peer peer(scene.world);
  const int socket = scene.accept(peer);
  Recorded refused(scene.ring);
  scene.receive_multishot(refused, socket);
  peer.send("hello");
  scene.run_for(100 * millisecond);
  REQUIRE(refused.has_ended());
  REQUIRE(refused.completions[0].result == -ENOBUFS);
  REQUIRE(scene.buffers.available() == 8);
  scene.world.set_faults({});
  Recorded receive(scene.ring);
  scene.receive_multishot(receive, socket);
  scene.run_for(100 * millisecond);
  int bytes = 0;
  for (const ring::Completion& completion : receive.completions) bytes += completion.result;
  REQUIRE(bytes == 5);
  scene.put_away(receive, socket);
}

TEST_CASE("short receives and short sends lose nothing") {
  for (const auto fault : {&Faults::short_receive, &Faults::short_send}) {
    Scene scene(settings_with(fault, 1, 3));
    Peer peer(scene.world);
    const int socket = scene.accept(peer);
    const std::string text = "one two three four";
    std::string left = text;
    while (!left.empty()) {
      Recorded send(scene.ring);
      io_uring_prep_send(&send.prepare(), socket, left.data(), left.size(), 0);
      scene.run_for(10 * millisecond);
      const int sent = send.completions.at(0).result;
      REQUIRE(sent > 0);
      if (fault == &Faults::short_send && left.size() > 1) REQUIRE(sent < static_cast<int>(left.size()));
      left.erase(0, static_cast<std::size_t>(sent));
    }
    peer.send(text);
    std::string heard(text.size(), '\0');
    Recorded receive(scene.ring);
    io_uring_prep_recv(&receive.prepare(), socket, heard.data(), heard.size(), MSG_WAITALL);
    scene.run_for(100 * millisecond);
    REQUIRE(peer.received() == text);
    REQUIRE(heard == text);
    scene.put_away(receive, socket);
  }
}

TEST_CASE("a cancel that loses says so, and its target's last completion comes all the same") {
  std::set<int> cancel_results;
  std::set<int> receive_results;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Settings settings = settings_with(&Faults::cancel_loses, 1, seed);
    settings.faults.late_completion = 0.5;
    Scene scene(settings);
    Peer peer(scene.world);
    const int socket = scene.accept(peer);
    Recorded receive(scene.ring), cancel(scene.ring);
    scene.receive_multishot(receive, socket);
    scene.run_for(2 * millisecond);
    peer.send("x");
    scene.run_for(seed % 3 * millisecond);
    if (!receive.has_ended()) {
      scene.ring.cancel(receive.operation(), cancel.operation());
      scene.run_for(100 * millisecond);
      REQUIRE(receive.has_ended());
      REQUIRE(cancel.completions.size() == 1);
      cancel_results.insert(cancel.completions[0].result);
      receive_results.insert(receive.completions.back().result);
    }
    scene.put_away(receive, socket);
  }
  REQUIRE(cancel_results == std::set<int>{-ENOENT, -EALREADY});
  REQUIRE(receive_results == std::set<int>{-ECANCELED, 1});
}

TEST_CASE("completions of different sockets overtake each other, those of one never do") {
  std::set<std::vector<int>> orders;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Scene scene(settings_with(&Faults::late_completion, 0.5, seed));
    Peer left(scene.world), right(scene.world);
    const int sockets[] = {scene.accept(left), scene.accept(right)};
    std::vector<int> order;
    Recorded one(scene.ring, &order, 1), two(scene.ring, &order, 2);
    scene.receive_multishot(one, sockets[0]);
    scene.receive_multishot(two, sockets[1]);
    left.send("a");
    scene.run_for(5 * millisecond);
    right.send("b");
    scene.run_for(5 * millisecond);
    left.send("c");
    scene.run_for(100 * millisecond);
    std::string heard;
    for (const ring::Completion& completion : one.completions) {
      const ring::Slice slice = scene.buffers.take(completion.buffer_id(), static_cast<std::size_t>(completion.result));
      heard.append(reinterpret_cast<const char*>(slice.bytes().data()), slice.size());
    }
    REQUIRE(heard == "ac");
    orders.insert(order);
    one.completions.clear();
    scene.put_away(one, sockets[0]);
    scene.put_away(two, sockets[1]);
  }
  REQUIRE(orders.contains({1, 2, 1}));
  REQUIRE(orders.contains({2, 1, 1}));
}

TEST_CASE("whatever enter refuses or the completion queue holds back, every operation completes once, in order") {
  std::uint64_t spilled = 0;
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    Settings settings;
    settings.seed = seed;
    settings.faults.enter_refused = 0.4;
    settings.faults.completions_held = 0.6;
    Scene scene(settings, {.submission_entries = 4, .completion_entries = 8});
    std::vector<int> order, expected;
    std::deque<Recorded> operations;
    for (int number = 0; number < 40; ++number) {
      expected.push_back(number);
      io_uring_prep_nop(&operations.emplace_back(scene.ring, &order, number).prepare());
    }
    while (scene.ring.operations_in_flight() > 0) scene.ring.turn(millisecond);
    REQUIRE(order == expected);
    spilled += scene.ring.counters().spilled;
    REQUIRE(scene.ring.counters().submitted == 40);
  }
  REQUIRE(spilled > 0);
}

TEST_CASE("a completion queue that is really full keeps the rest for the next enter") {
  Scene scene(Settings{}, {.submission_entries = 16, .completion_entries = 4});
  std::vector<int> order;
  std::deque<Recorded> operations;
  for (int number = 0; number < 10; ++number) {
    io_uring_prep_nop(&operations.emplace_back(scene.ring, &order, number).prepare());
  }
  scene.ring.turn(0);
  REQUIRE(order.size() == 4);
  REQUIRE((*scene.kernel.queues().sq.kflags & IORING_SQ_CQ_OVERFLOW) != 0);
  scene.ring.turn(0);
  scene.ring.turn(0);
  REQUIRE(order == std::vector<int>{0, 1, 2, 3, 4, 5, 6, 7, 8, 9});
  REQUIRE((*scene.kernel.queues().sq.kflags & IORING_SQ_CQ_OVERFLOW) == 0);
}

TEST_CASE("a connection that the path resets tells both of its ends") {
  int resets = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    Scene scene(settings_with(&Faults::connection_reset, 1, seed));
    Server server(scene.world, address_of("192.0.2.9", 9944));
    const int socket = scene.kernel.open_tcp_socket(AF_INET);
    const ring::SocketAddress address = address_of("192.0.2.9", 9944);
    Recorded connect(scene.ring), receive(scene.ring);
    io_uring_prep_connect(&connect.prepare(), socket, address.get(), address.bytes);
    scene.run_for(10 * millisecond);
    scene.receive_multishot(receive, socket);
    Peer& peer = *server.peers().at(0);
    peer.send(std::string(300 * 1024, 'x'));
    for (int turn = 0; turn < 30'000 && !receive.has_ended(); ++turn) {
      scene.ring.turn(millisecond);
      for (const ring::Completion& completion : receive.completions) {
        if (completion.has_buffer()) (void)scene.buffers.take(completion.buffer_id(), 0);
      }
      const bool ran_out = !receive.completions.empty() && receive.completions.back().result == -ENOBUFS;
      receive.completions.clear();
      if (!receive.has_ended()) continue;
      if (ran_out) scene.receive_multishot(receive, socket);
    }
    REQUIRE(receive.has_ended());
    scene.run_for(10 * millisecond);
    if (peer.error() == ECONNRESET) ++resets;
    scene.put_away(receive, socket);
  }
  REQUIRE(resets > 10);
}

TEST_CASE("a connect is refused, slow, or given up after two minutes, as the faults say") {
  struct Row {
    double Faults::* fault;
    int result;
    std::uint64_t at_least_ns;
    std::uint64_t at_most_ns;
  };
  for (const Row& row : {Row{&Faults::connect_refused, -ECONNREFUSED, 0, 20 * millisecond},
                         Row{&Faults::connect_unanswered, -ETIMEDOUT, 126 * second, 128 * second},
                         Row{&Faults::connect_slow, 0, millisecond, 11 * second}}) {
    Scene scene(settings_with(row.fault, 1, 7));
    const Server server(scene.world, address_of("192.0.2.9", 9944));
    const int socket = scene.kernel.open_tcp_socket(AF_INET);
    const ring::SocketAddress address = address_of("192.0.2.9", 9944);
    Recorded connect(scene.ring);
    const std::uint64_t start_ns = scene.kernel.now_ns();
    io_uring_prep_connect(&connect.prepare(), socket, address.get(), address.bytes);
    while (!connect.has_ended()) scene.ring.turn(second);
    REQUIRE(connect.completions[0].result == row.result);
    REQUIRE(scene.kernel.now_ns() - start_ns >= row.at_least_ns);
    REQUIRE(scene.kernel.now_ns() - start_ns <= row.at_most_ns);
    scene.kernel.close_socket(socket);
  }
}

TEST_CASE("sending to a peer that has vanished fails with a timeout after a quarter of an hour") {
  Scene scene(Settings{});
  Peer peer(scene.world);
  const int socket = scene.accept(peer);
  peer.vanish();
  Recorded send(scene.ring), receive(scene.ring);
  io_uring_prep_send(&send.prepare(), socket, "x", 1, 0);
  scene.receive_multishot(receive, socket);
  const std::uint64_t start_ns = scene.kernel.now_ns();
  while (!receive.has_ended()) scene.ring.turn(second);
  REQUIRE(send.completions[0].result == 1);
  REQUIRE(receive.completions[0].result == -ETIMEDOUT);
  REQUIRE(scene.kernel.now_ns() - start_ns > 900 * second);
  scene.put_away(receive, socket);
}

}  // namespace ringwall::sim
