// sim_kernel.h: a kernel for one shard, in memory and in virtual time.
//
// It reads the entries that Ring queues, does what Linux 6.1 would do with IORING_SETUP_DEFER_TASKRUN, fills the
// registered buffer rings and posts completions; all of it inside enter(), as there. Time passes only in enter(). What
// a program may not do (touch a buffer in flight, two receives or two waiting sends on a socket, a descriptor closed
// under close_socket) fails the run. An operation that is not modelled fails it too, so that none is taken for tested.
// Owner: the test; it goes before its world. Thread: the test's.
// Source: io_uring_enter(2), io_uring/{io_uring,net,kbuf,poll,cancel}.c of Linux 6.1;
// tests/sim/kernel/agreement_test.cc holds it against the kernel it runs on.
#pragma once

#include <ringwall/ring/backend.h>

#include "sim/kernel/buffer_group.h"
#include "sim/kernel/file.h"
#include "sim/kernel/world.h"

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <vector>

namespace ringwall::sim {

struct KernelSettings {
  unsigned submission_entries = 64;  // powers of two
  unsigned completion_entries = 256;
  unsigned descriptors_max = 4096;     // then -EMFILE
  unsigned ports_max = 28'232;         // of a source to one destination (ip_local_port_range); then -EADDRNOTAVAIL
  bool has_tls = false;                // otherwise TCP_ULP "tls" is -ENOENT
  bool tls_allows_second_key = false;  // as since Linux 6.14
};

class SimKernel final : public ring::Backend {
 public:
  explicit SimKernel(World& world, const KernelSettings& settings = {});
  ~SimKernel() override;

  int enter(unsigned submit, unsigned wait_for, std::uint64_t timeout_ns) override;
  int register_buffer_ring(io_uring_buf_reg& registration) override;
  std::uint64_t now_ns() override { return world_.events().now_ns(); }
  std::int64_t unix_now_s() override { return static_cast<std::int64_t>(now_ns() / second); }
  void fill_random(std::span<std::byte> bytes) override { world_.random().fill(bytes); }
  int open_tcp_socket(int family) override;
  int bind_source(int socket, const ring::SocketAddress& source) override;
  void wait_for_bytes(int, int) override {}        // a hint, and here all that comes will do
  void limit_receive_buffer(int, int) override {}  // the path's own buffers are small enough
  void limit_unacknowledged(int, std::uint64_t) override {}
  ring::SocketAddress peer_address(int socket) override;
  std::size_t unacknowledged_bytes(int socket) override;
  int attach_tls(int socket) override;
  int take_error(int socket) override;
  int set_tls_key(int socket, ring::TlsDirection direction, std::span<const std::byte> crypto_info) override;
  int shut_down_sending(int socket) override;
  void reset_on_close(int socket) override;
  void close_socket(int socket) override;

  // What the program would have made by system calls of its own before its first turn.
  [[nodiscard]] int open_listener(const ring::SocketAddress& address, std::size_t backlog_max = 128);
  [[nodiscard]] int open_mailbox();  // an eventfd
  void signal_mailbox(int mailbox);  // as another shard's write of 1
  // The address that sockets of this kernel connect from. They may be bound to it, and to any of 127/8.
  void set_address(const ring::SocketAddress& address) { address_ = address; }

  // Whether entries stay in the queue from here on, as if the kernel had no memory for them.
  void hold_entries(bool are_held) { are_entries_held_ = are_held; }

  // What must be 0 when all is over.
  [[nodiscard]] unsigned operations_in_flight() const { return static_cast<unsigned>(requests_.size()); }
  [[nodiscard]] unsigned descriptors_open() const { return open_; }
  [[nodiscard]] unsigned buffers_held();

  [[nodiscard]] World& world() { return world_; }
  [[nodiscard]] const KernelSettings& settings() const { return settings_; }

 private:
  enum class Attempt : bool { waits, ended };

  // sim_kernel.cc: the queues and the turn of time
  [[nodiscard]] unsigned completions_ready() const;
  [[nodiscard]] int run_enter(unsigned submit, unsigned wait_for, std::uint64_t timeout_ns);
  [[nodiscard]] int refuse(unsigned submit, unsigned wait_for);
  void take_entries(unsigned count);
  [[nodiscard]] bool wait_for_completions(unsigned wait_for, std::uint64_t timeout_ns);
  void post(std::uint64_t user_data, int result, std::uint32_t flags);
  [[nodiscard]] bool has_room() const;
  void flush_overflow();
  void run_later(std::uint64_t delay_ns, std::function<void()> action);

  // descriptors.cc: the table, and what waits on a file
  [[nodiscard]] std::shared_ptr<File> make_file(File::Kind kind);
  [[nodiscard]] int install(std::shared_ptr<File> file);
  [[nodiscard]] std::shared_ptr<File> file_at(int descriptor) const;
  void release(int descriptor);
  [[nodiscard]] bool descriptors_ran_out();
  void attach(File& file, std::shared_ptr<Endpoint> endpoint);
  void wake(File& file);
  void serve(File& file);

  // requests.cc: the life of a request
  void submit(const io_uring_sqe& entry);
  void start(Request& request);
  [[nodiscard]] Attempt attempt(Request& request);
  [[nodiscard]] bool is_ready(const Request& request) const;
  void wait(Request& request);
  void finish(Request& request, int result, std::uint32_t flags = 0);
  void cancel(Request& canceller);
  [[nodiscard]] int cancel_one(Request& target);
  void finish_cancelled(Request& request);
  void end_with_what_is_there(Request& request);
  void finish_later(const Request& request, std::uint64_t delay_ns, void (SimKernel::*how)(Request&));

  // socket_requests.cc: what each operation does
  void guard_memory(Request& request);
  void check_memory(const Request& request);
  void accept_message(Request& request);
  void answer_message(const Request& request, const RecordNote& note);
  [[nodiscard]] Attempt receive(Request& request);
  [[nodiscard]] Attempt receive_provided(Request& request);
  [[nodiscard]] bool goes_on(const Request& request);
  [[nodiscard]] std::size_t receive_size(std::size_t room);
  [[nodiscard]] std::uint32_t nonempty_flag(const File& file);
  [[nodiscard]] Attempt poll(Request& request);
  [[nodiscard]] Attempt read_mailbox(Request& request);
  [[nodiscard]] int gather(Request& request);
  [[nodiscard]] Attempt send(Request& request);
  [[nodiscard]] Attempt accept(Request& request);
  void start_connect(Request& request);
  [[nodiscard]] Attempt connect(Request& request);
  [[nodiscard]] bool has_port(const ring::SocketAddress& source, const ring::SocketAddress& to) const;
  void shut_down(Request& request);

  World& world_;
  KernelSettings settings_;
  ring::SocketAddress address_ = address_of("192.0.2.1", 0);

  // The memory that a real ring maps.
  std::vector<io_uring_sqe> submissions_;
  std::vector<unsigned> submission_array_;
  std::vector<io_uring_cqe> completions_;
  struct Words {
    unsigned head = 0, tail = 0, flags = 0, dropped = 0;
  } submission_words_, completion_words_;

  std::deque<io_uring_cqe> overflow_;
  unsigned room_ = 0;  // completions that the queue takes in this enter
  std::map<std::uint16_t, BufferGroup> groups_;
  std::map<std::uint64_t, std::unique_ptr<Request>> requests_;  // by user_data: an address, so never gone through
  std::uint64_t submitted_ = 0;
  std::vector<std::shared_ptr<File>> files_;  // by descriptor, less first_descriptor
  unsigned open_ = 0;
  std::vector<std::byte> scratch_;
  std::vector<std::function<void()>> task_work_;  // what came between two enters
  std::shared_ptr<char> alive_ = std::make_shared<char>();
  bool in_enter_ = false;
  bool are_entries_held_ = false;
  bool retries_when_empty_;  // a multishot receive looks for a buffer once more after the last byte: 6.1 does
};

}  // namespace ringwall::sim
