// The simulated kernel without faults: its queues, its clock, its descriptors, and more than one in a world.
#include "sim/kernel/peer.h"
#include "sim/kernel/sim_kernel.h"
#include "sim/kernel/submitter.h"
#include "unit/catch.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

namespace ringwall::sim {
namespace {

class Alarm {
 public:
  explicit Alarm(ring::Ring& ring) : ring_(ring) {}
  void set(std::uint64_t deadline_ns) { ring_.timers().start(timer_, deadline_ns); }
  std::uint64_t rang_ns = 0;

 private:
  void on_timer() { rang_ns = ring_.now_ns(); }
  ring::Ring& ring_;
  ring::TimerOf<Alarm, &Alarm::on_timer> timer_{*this};
};

}  // namespace

TEST_CASE("waiting costs virtual time only: a timer of an hour rings within a tick of it") {
  Settings settings;
  settings.quiet_ns_max = 7200 * second;
  World world(settings);
  SimKernel kernel(world);
  ring::Ring ring(kernel);
  Alarm alarm(ring);
  const std::uint64_t deadline_ns = kernel.now_ns() + 3600 * second;
  alarm.set(deadline_ns);
  while (alarm.rang_ns == 0) ring.turn(UINT64_MAX);
  REQUIRE(alarm.rang_ns >= deadline_ns);
  REQUIRE(alarm.rang_ns < deadline_ns + 17 * millisecond + millisecond);
}

TEST_CASE("a wait ends at its time when nothing completes, and at once when something has") {
  World world(Settings{});
  SimKernel kernel(world);
  ring::Ring ring(kernel);
  const std::uint64_t start_ns = kernel.now_ns();
  REQUIRE(kernel.enter(0, 1, 5 * millisecond) == -ETIME);
  REQUIRE(kernel.now_ns() - start_ns >= 5 * millisecond);
  REQUIRE(kernel.now_ns() - start_ns < 6 * millisecond);
  Recorded nop(ring);
  io_uring_prep_nop(&nop.prepare());
  ring.turn(second);
  REQUIRE(nop.has_ended());
  REQUIRE(kernel.now_ns() - start_ns < 7 * millisecond);
}

TEST_CASE("a request that asks for silence on success completes only when it fails") {
  World world(Settings{});
  SimKernel kernel(world);
  const ring::Ring ring(kernel);  // fills the submission array
  io_uring& queues = kernel.queues();
  for (const int descriptor : {kernel.open_tcp_socket(AF_INET), -1}) {
    io_uring_sqe& entry = queues.sq.sqes[(*queues.sq.ktail)++ & queues.sq.ring_mask];
    std::memset(&entry, 0, sizeof entry);
    io_uring_prep_close(&entry, descriptor);
    entry.flags |= IOSQE_CQE_SKIP_SUCCESS;
    entry.user_data = descriptor < 0 ? 2 : 1;
  }
  REQUIRE(kernel.enter(2, 0, 0) == 2);
  REQUIRE(*queues.cq.ktail - *queues.cq.khead == 1);
  REQUIRE(queues.cq.cqes[0].user_data == 2);
  REQUIRE(queues.cq.cqes[0].res == -EBADF);
  REQUIRE(kernel.operations_in_flight() == 0);
}

TEST_CASE("descriptors are the lowest that are free, and run out at their bound") {
  World world(Settings{});
  SimKernel kernel(world, {.descriptors_max = 3});
  const int first = kernel.open_tcp_socket(AF_INET);
  const int second_one = kernel.open_tcp_socket(AF_INET6);
  REQUIRE(second_one == first + 1);
  REQUIRE(kernel.open_tcp_socket(AF_INET) == first + 2);
  REQUIRE(kernel.open_tcp_socket(AF_INET) == -EMFILE);
  kernel.close_socket(first);
  REQUIRE(kernel.open_tcp_socket(AF_INET) == first);
  REQUIRE(kernel.descriptors_open() == 3);
}

TEST_CASE("a buffer group's id is taken once, its size is a power of two, its memory begins on a page") {
  World world(Settings{});
  SimKernel kernel(world);
  alignas(4096) static std::array<io_uring_buf, 256> memory{};
  io_uring_buf_reg registration{};
  registration.ring_addr = reinterpret_cast<std::uintptr_t>(memory.data());
  registration.ring_entries = 3;
  REQUIRE(kernel.register_buffer_ring(registration) == -EINVAL);
  registration.ring_entries = 4;
  registration.ring_addr += 16;
  REQUIRE(kernel.register_buffer_ring(registration) < 0);
  registration.ring_addr -= 16;
  REQUIRE(kernel.register_buffer_ring(registration) == 0);
  REQUIRE(kernel.register_buffer_ring(registration) == -EEXIST);
}

TEST_CASE("a peer that reads slowly keeps the sender waiting, and gets all of it in order") {
  Settings settings;
  settings.seed = 5;
  World world(settings);
  SimKernel kernel(world);
  ring::Ring ring(kernel);
  Peer peer(world);
  peer.read_slowly(1000, 10 * millisecond);
  peer.connect(address_of("192.0.2.1", 443), address_of("203.0.113.1", 1024));
  Recorded accept(ring);
  io_uring_prep_accept(&accept.prepare(), kernel.open_listener(address_of("0.0.0.0", 443)), nullptr, nullptr, 0);
  while (!accept.has_ended()) ring.turn(millisecond);
  const int socket = accept.completions[0].result;
  const ring::SocketAddress from = kernel.peer_address(socket);
  const ring::SocketAddress expected = address_of("203.0.113.1", 1024);
  REQUIRE(from.bytes == expected.bytes);
  REQUIRE(std::memcmp(&from.storage, &expected.storage, from.bytes) == 0);

  std::string text(2 * 1024 * 1024, '\0');
  for (std::size_t index = 0; index < text.size(); ++index) text[index] = static_cast<char>(index * 7 + index / 256);
  const std::uint64_t start_ns = kernel.now_ns();
  Recorded send(ring);
  io_uring_prep_send(&send.prepare(), socket, text.data(), text.size(), MSG_WAITALL);
  while (!send.has_ended()) ring.turn(second);
  REQUIRE(send.completions[0].result == static_cast<int>(text.size()));
  REQUIRE(kernel.now_ns() - start_ns > 10 * second);
  kernel.close_socket(socket);
  while (!peer.has_ended()) ring.turn(second);
  REQUIRE(peer.received() == text);
}

TEST_CASE("a listener on every IPv6 address is found at any of them, and at its port only") {
  World world(Settings{});
  SimKernel kernel(world);
  ring::Ring ring(kernel);
  Recorded accept(ring);
  io_uring_prep_accept(&accept.prepare(), kernel.open_listener(address_of("::", 443)), nullptr, nullptr, 0);
  Peer peer(world), astray(world), other_family(world);
  peer.connect(address_of("2001:db8::1", 443), address_of("2001:db8::7", 1024));
  astray.connect(address_of("2001:db8::1", 444), address_of("2001:db8::7", 1025));
  other_family.connect(address_of("192.0.2.1", 443), address_of("203.0.113.1", 1026));
  while (!accept.has_ended()) ring.turn(millisecond);
  const ring::SocketAddress from = kernel.peer_address(accept.completions[0].result);
  const ring::SocketAddress expected = address_of("2001:db8::7", 1024);
  REQUIRE(from.bytes == sizeof(sockaddr_in6));
  REQUIRE(std::memcmp(&from.storage, &expected.storage, from.bytes) == 0);
  world.events().run_until(kernel.now_ns() + second);
  REQUIRE(astray.error() == ECONNREFUSED);
  REQUIRE(other_family.error() == ECONNREFUSED);
}

TEST_CASE("two kernels of one world wake each other by mailbox, and each completes in its own enter") {
  World world(Settings{});
  SimKernel first(world), second_one(world);
  ring::Ring first_ring(first), second_ring(second_one);
  std::uint64_t signals = 0;
  const int mailbox = second_one.open_mailbox();
  Recorded read(second_ring);
  io_uring_prep_read(&read.prepare(), mailbox, &signals, sizeof signals, 0);
  second_ring.turn(0);
  second_one.signal_mailbox(mailbox);
  second_one.signal_mailbox(mailbox);
  first_ring.turn(10 * millisecond);
  REQUIRE(!read.has_ended());
  REQUIRE(*second_one.queues().cq.ktail == *second_one.queues().cq.khead);
  second_ring.turn(10 * millisecond);
  REQUIRE(read.has_ended());
  REQUIRE(signals == 2);
}

TEST_CASE("a kernel that goes takes its requests and connections with it") {
  World world(Settings{});
  auto kernel = std::make_unique<SimKernel>(world);
  Peer peer(world);
  peer.connect(address_of("192.0.2.1", 443), address_of("203.0.113.1", 1024));
  const ring::Ring ring(*kernel);
  io_uring& queues = kernel->queues();
  io_uring_sqe& entry = queues.sq.sqes[0];
  std::memset(&entry, 0, sizeof entry);
  io_uring_prep_accept(&entry, kernel->open_listener(address_of("0.0.0.0", 443)), nullptr, nullptr, 0);
  ++*queues.sq.ktail;
  while (*queues.cq.ktail == 0) REQUIRE(kernel->enter(1, 1, second) >= 0);
  REQUIRE(kernel->descriptors_open() == 2);
  kernel.reset();
  world.events().run_until(world.events().now_ns() + second);
  REQUIRE(peer.has_ended());
}

}  // namespace ringwall::sim
