// lean_backend.h: a kernel for one shard, in memory, that costs as little as it can: for benchmarks.
//
// It reads real entries, fills real buffer rings and posts real completions, all inside enter(), as tests/sim's kernel
// does; but nothing goes wrong, nothing is checked, and sockets end in a Peer that takes what is sent the moment it is
// sent. What a peer says is handed out as a kernel would that has other things to do too: at each enter to some sockets
// at most, and of each so many bytes at most. Time stands still but for a step at each enter.
// Owner: the benchmark; it outlives its shard. Thread: the benchmark's.
// Source: io_uring_enter(2), io_uring_prep_recv_multishot(3), io_uring_register(2).
#pragma once

#include <ringwall/ring/backend.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <vector>

namespace ringwall::bench {

// A clock that costs some 10 ns to read: in ticks, as many in a second as ticks_per_s().
[[nodiscard]] std::uint64_t ticks();

// The other end of a socket.
class Peer {
 public:
  Peer() = default;
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;
  virtual ~Peer() = default;

  // What the program has sent, in one piece or several. Called inside enter(); may say() something at once.
  virtual void on_sent(std::span<const std::byte> bytes) = 0;
};

class LeanBackend final : public ring::Backend {
 public:
  // A buffer comes back when the shard has seen that it is sent, a turn later: two such turns fit into the default 64.
  static constexpr unsigned receives_per_enter_max = 24;
  // What a socket of Linux on loopback holds.
  static constexpr std::size_t receive_bytes_per_enter_max = 128 * 1024;
  static constexpr std::uint64_t enter_ns = 20'000;  // of virtual time

  LeanBackend();

  int enter(unsigned submit, unsigned wait_for, std::uint64_t timeout_ns) override;
  int register_buffer_ring(io_uring_buf_reg& registration) override;
  std::uint64_t now_ns() override { return now_ns_; }
  std::int64_t unix_now_s() override;
  void fill_random(std::span<std::byte> bytes) override;
  int open_tcp_socket(int family) override;
  int bind_source(int, const ring::SocketAddress&) override { return 0; }
  void wait_for_bytes(int, int) override {}
  void limit_receive_buffer(int, int) override {}
  void limit_unacknowledged(int, std::uint64_t) override {}
  ring::SocketAddress peer_address(int socket) override;
  std::size_t unacknowledged_bytes(int) override { return 0; }
  int attach_tls(int) override { return -ENOENT; }
  int set_tls_key(int, ring::TlsDirection, std::span<const std::byte>) override { return -ENOENT; }
  int take_error(int) override { return 0; }
  int shut_down_sending(int) override { return 0; }
  void reset_on_close(int) override {}
  void close_socket(int) override {}

  // An eventfd that nobody writes to, and a listening socket. One of each.
  [[nodiscard]] int open_event();
  [[nodiscard]] int open_listener();
  // A client's socket, in the listener's queue from here on. Each has an address of its own.
  [[nodiscard]] int open_client(Peer& peer);
  // Who answers where the program connects to.
  std::function<Peer&(int socket)> on_connect;

  // Memory of what the program is to receive, to be appended to; then said.
  [[nodiscard]] std::vector<std::byte>& inbound(int socket) { return file(socket).inbound; }
  void say(int socket);

  // While set, what enter() takes is counted: see driver_ticks() and README.md.
  void measure(bool on) { measuring_ = on; }
  [[nodiscard]] std::uint64_t driver_ticks() const { return driver_ticks_; }

 private:
  struct File {
    Peer* peer = nullptr;
    std::vector<std::byte> inbound;
    std::size_t taken = 0;       // of inbound
    std::uint64_t receiver = 0;  // user_data of a receive, an accept or a read
    std::uint64_t watcher = 0;   // of a poll
    std::uint32_t bytes_max = 0;
    std::uint16_t group = 0;  // of the buffers that it receives into
    bool is_multishot = false;
    bool is_ready = false;  // in ready_
  };
  struct BufferRing {
    io_uring_buf_ring* entries = nullptr;
    unsigned mask = 0;
    std::uint16_t head = 0;
  };
  static constexpr int first_descriptor = 3;

  [[nodiscard]] File& file(int descriptor) { return files_[static_cast<std::size_t>(descriptor - first_descriptor)]; }
  [[nodiscard]] int add(Peer* peer);
  [[gnu::noinline]] int drive(unsigned submit, unsigned wait_for, std::uint64_t timeout_ns);
  int work(unsigned submit, unsigned wait_for, std::uint64_t timeout_ns);
  void take(const io_uring_sqe& entry);
  [[nodiscard]] int send(const io_uring_sqe& entry);
  void receive(const io_uring_sqe& entry);
  void cancel(const io_uring_sqe& entry);
  void accept_waiting();
  void serve_ready();
  void serve(File& row);
  void post(std::uint64_t user_data, int result, std::uint32_t flags = 0);

  struct Words {
    unsigned head = 0, tail = 0, flags = 0, dropped = 0;
  } submission_words_, completion_words_;
  std::vector<io_uring_sqe> submissions_;
  std::vector<io_uring_cqe> completions_;
  std::deque<File> files_;
  std::vector<int> ready_;    // sockets whose program receives and whose peer has said something
  std::vector<int> waiting_;  // to be accepted
  int listener_ = -1;
  std::vector<BufferRing> buffer_rings_;  // by group
  std::uint64_t now_ns_ = 1'000'000'000'000;
  std::uint64_t random_ = 1;
  bool measuring_ = false;
  std::uint64_t driver_ticks_ = 0;
};

}  // namespace ringwall::bench
