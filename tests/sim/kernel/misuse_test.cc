// What a program may not do is found, and told with the seed first.
#include "sim/kernel/peer.h"
#include "sim/kernel/sim_kernel.h"
#include "sim/kernel/submitter.h"
#include "unit/catch.h"

#include <ringwall/ring/buffer_ring.h>

#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <memory>
#include <string>

namespace ringwall::sim {
namespace {

struct Scene {
  explicit Scene(const Settings& settings = {}) : world(settings), kernel(world), ring(kernel), peer(world) {}

  // A socket whose peer does not read.
  int accept() {
    peer.stop_reading();
    peer.connect(address_of("192.0.2.1", 443), address_of("203.0.113.1", 1024));
    Recorded accept(ring);
    io_uring_prep_accept(&accept.prepare(), kernel.open_listener(address_of("0.0.0.0", 443)), nullptr, nullptr, 0);
    while (!accept.has_ended()) ring.turn(millisecond);
    return accept.completions.back().result;
  }

  World world;
  SimKernel kernel;
  ring::Ring ring;
  Peer peer;
};

// What a child process that does `act` prints before it aborts; nothing if it does not abort.
std::string last_words(const std::function<void()>& act) {
  std::array<int, 2> pipe_ends{};
  REQUIRE(pipe(pipe_ends.data()) == 0);
  const pid_t child = fork();
  if (child == 0) {
    dup2(pipe_ends[1], STDERR_FILENO);
    signal(SIGABRT, SIG_DFL);
    act();
    _exit(0);
  }
  close(pipe_ends[1]);
  std::string words;
  std::array<char, 4096> piece;
  for (ssize_t count = 0; (count = read(pipe_ends[0], piece.data(), piece.size())) > 0;) {
    words.append(piece.data(), static_cast<std::size_t>(count));
  }
  close(pipe_ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT ? words : "";
}

}  // namespace

TEST_CASE("bytes of a send that change while it waits are found") {
  const std::string words = last_words([] {
    Scene scene;
    const int socket = scene.accept();
    std::string text(1024 * 1024, 'x');
    Recorded send(scene.ring);
    io_uring_prep_send(&send.prepare(), socket, text.data(), text.size(), MSG_WAITALL);
    scene.ring.turn(millisecond);
    text[5] = 'y';
    scene.peer.read_at_once();
    while (!send.has_ended()) scene.ring.turn(millisecond);
  });
  REQUIRE(words.find("the bytes of a send were changed") != std::string::npos);
}

TEST_CASE("a target of a receive that is written to while it waits is found") {
  const std::string words = last_words([] {
    Scene scene;
    const int socket = scene.accept();
    std::array<char, 8> target{};
    Recorded receive(scene.ring);
    io_uring_prep_recv(&receive.prepare(), socket, target.data(), target.size(), 0);
    scene.ring.turn(millisecond);
    target[3] = 0;
    scene.peer.send("x");
    while (!receive.has_ended()) scene.ring.turn(millisecond);
  });
  REQUIRE(words.find("the target of a receive was written to") != std::string::npos);
}

TEST_CASE("a provided buffer that is written to after it was given back is found") {
  const std::string words = last_words([] {
    Scene scene;
    ring::BufferRing buffers(scene.kernel, 1, 1, 64);
    const int socket = scene.accept();
    std::byte* stale = nullptr;
    for (int times = 0; times < 2; ++times) {
      Recorded receive(scene.ring);
      io_uring_sqe& entry = receive.prepare();
      io_uring_prep_recv(&entry, socket, nullptr, 0, 0);
      entry.flags |= IOSQE_BUFFER_SELECT;
      entry.buf_group = 1;
      scene.peer.send("x");
      while (!receive.has_ended()) scene.ring.turn(millisecond);
      stale = buffers.take(receive.completions[0].buffer_id(), 1).bytes().data();
      scene.ring.turn(0);
      *stale = std::byte{7};
    }
  });
  REQUIRE(words.find("a buffer was written to after it had been given back") != std::string::npos);
}

TEST_CASE("a provided buffer that is given back twice is found") {
  const std::string words = last_words([] {
    Scene scene;
    auto* shared = static_cast<io_uring_buf_ring*>(
        mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    io_uring_buf_reg registration{};
    registration.ring_addr = reinterpret_cast<std::uintptr_t>(shared);
    registration.ring_entries = 4;
    REQUIRE(scene.kernel.register_buffer_ring(registration) == 0);
    std::array<char, 64> buffer;
    for (int times = 0; times < 2; ++times) {
      io_uring_buf_ring_add(shared, buffer.data(), buffer.size(), 3, 3, times);
    }
    io_uring_buf_ring_advance(shared, 2);
    scene.ring.turn(0);
  });
  REQUIRE(words.find("a buffer was given back twice") != std::string::npos);
}

TEST_CASE("two receives on one socket are found") {
  const std::string words = last_words([] {
    Scene scene;
    const int socket = scene.accept();
    std::array<char, 8> target;
    Recorded one(scene.ring), two(scene.ring);
    io_uring_prep_recv(&one.prepare(), socket, target.data(), 4, 0);
    io_uring_prep_recv(&two.prepare(), socket, target.data() + 4, 4, 0);
    scene.ring.turn(0);
  });
  REQUIRE(words.find("two requests wait for the same socket") != std::string::npos);
}

TEST_CASE("closing a socket directly under its requests is found") {
  const std::string words = last_words([] {
    Scene scene;
    const int socket = scene.accept();
    std::array<char, 8> target;
    Recorded receive(scene.ring);
    io_uring_prep_recv(&receive.prepare(), socket, target.data(), 4, 0);
    scene.ring.turn(0);
    scene.kernel.close_socket(socket);
  });
  REQUIRE(words.find("close_socket on a descriptor with requests in flight") != std::string::npos);
}

TEST_CASE("an operation that is not modelled is found") {
  const std::string words = last_words([] {
    Scene scene;
    const int socket = scene.accept();
    Recorded splice(scene.ring);
    io_uring_prep_splice(&splice.prepare(), socket, -1, socket, -1, 1, 0);
    scene.ring.turn(0);
  });
  REQUIRE(words.find("an operation that is not modelled") != std::string::npos);
}

TEST_CASE("a program that waits for what never comes is found") {
  const std::string words = last_words([] {
    Scene scene;
    scene.ring.turn(UINT64_MAX);
  });
  REQUIRE(words.find("the program waits for ever") != std::string::npos);
}

TEST_CASE("a program that sleeps without progress is found, and one that turns in circles") {
  const std::string sleeper = last_words([] {
    Scene scene;
    while (true) scene.ring.turn(second);
  });
  REQUIRE(sleeper.find("no progress within the bound of virtual time") != std::string::npos);
  const std::string turner = last_words([] {
    Scene scene;
    while (true) scene.ring.turn(0);
  });
  REQUIRE(turner.find("enters the kernel without any progress") != std::string::npos);
}

TEST_CASE("a failed check tells the seed, the faults and what happened last") {
  const std::string words = last_words([] {
    Settings settings;
    settings.seed = 4242;
    settings.faults.short_send = 0.25;
    Scene scene(settings);
    const int socket = scene.accept();
    std::array<char, 8> target;
    Recorded receive(scene.ring);
    io_uring_prep_recv(&receive.prepare(), socket, target.data(), 4, 0);
  });
  REQUIRE(words.find("check failed: !in_flight_") != std::string::npos);
  REQUIRE(words.find("simulation seed 4242") != std::string::npos);
  REQUIRE(words.find("fault short_send at rate 0.25") != std::string::npos);
  REQUIRE(words.find("accept on") != std::string::npos);
}

}  // namespace ringwall::sim
