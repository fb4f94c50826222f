// worker.h: one thread of clients: a ring, its buffers, its share of the connections, from the first to the last.
//
// Made and run on its own thread; only what is in Told is for others. Source of the order at the end: calls that are in
// flight are waited for, then all clients leave, then who has not gone is reset.
#pragma once

#include <ringwall/connection/connection.h>
#include <ringwall/ring/buffer_ring.h>
#include <ringwall/ring/ring.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "load/call_queue.h"
#include "load/client.h"
#include "load/hostile_client.h"
#include "load/lane.h"

namespace ringwall::load {

// What a worker tells while it runs; the run's, and outlives it.
struct Told {
  std::atomic<std::uint64_t> settled{0};  // clients that have been opened, or have failed, once
  std::atomic<std::uint64_t> opened{0};   // ever
  // These four are of the end of the measured time once that is over, before anybody leaves.
  std::atomic<std::uint64_t> open{0};
  std::atomic<std::uint64_t> hostile_open{0};
  std::atomic<std::uint64_t> hostile_held{0};
  std::atomic<std::uint64_t> hostile_stopped{0};
  std::atomic<std::uint64_t> in_flight{0};    // calls, or rounds, that are counted
  std::atomic<std::uint64_t> finished{0};     // calls, or rounds, that are counted
  std::atomic<std::uint64_t> finished_ns{0};  // when the last of those was; stored before their number

  // By the number of the second of the measured time.
  std::mutex mutex;
  std::map<std::size_t, Tick> seconds;

  // Once the worker has ended.
  Tally tally, hostile;
  double cpu_us = 0;  // of its thread, over the measured time
};

// At the end, at most: for the last call that waits to be sent to have its timeout, and its answer another; then for
// connections to end in order, and for those that did not, to be aborted.
[[nodiscard]] inline std::uint64_t calls_waited_ns(const Plan& plan) { return 2 * plan.timeout_ns + 1'000'000'000; }
inline constexpr std::uint64_t part_ns = 3'000'000'000;
inline constexpr std::uint64_t abort_ns = 3'000'000'000;

// Hostile clients have one of their own, so that what they cost here is not taken for what the others wait.
[[nodiscard]] inline unsigned workers(const Plan& plan) { return plan.threads + (plan.mode == Mode::hostile ? 1 : 0); }

class Worker {
 public:
  // What is given outlives it; `tls` is null for plain connections. `index` is of workers(plan).
  Worker(ring::Backend& backend, const Plan& plan, const RequestTexts& texts, Course& course, ItemTable& items,
         const tls::ClientContext* tls, Told& told, unsigned index);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  // The errno with which the kernel refused the buffer ring, or 0.
  [[nodiscard]] int error() const { return buffers_.error(); }

  // Until Course::end_ns, and until all connections are closed. False: some were not within a bounded time; the kernel
  // may still write to what they use, and this must not be destroyed.
  [[nodiscard]] bool run();
  // One turn of it.
  void turn(std::uint64_t wait_ns_max);

  [[nodiscard]] const Lane& lane() const { return lane_; }

 private:
  void make_clients(unsigned index);
  void make_hostile();
  [[nodiscard]] Stretch stretch_at(std::uint64_t now_ns) const;
  void enter(Stretch stretch);
  void start_clients(std::uint64_t now_ns);
  void start_hostile();
  [[nodiscard]] bool start(Client& client) const;
  void feed(std::uint64_t now_ns);
  [[nodiscard]] std::uint64_t next_due_ns(std::uint64_t now_ns) const;
  [[nodiscard]] std::uint64_t first_start_ns(const Client& client) const;
  void tell(std::uint64_t now_ns);
  void tell_second(std::uint64_t now_ns);
  void wait_for_calls();
  [[nodiscard]] bool part();

  const Plan& plan_;
  Course& course_;
  Told& told_;
  ring::Ring ring_;
  ring::BufferRing buffers_;
  connection::Arena arena_;
  connection::SharedBudget backlog_;
  connection::Resources resources_;
  Lane lane_;
  std::optional<CallQueue> queue_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<CallClient*> call_clients_;
  std::vector<std::unique_ptr<HostileClient>> hostile_;
  std::size_t hostile_not_started_ = 0;
  std::size_t not_started_ = 0;                  // from here on they have not been started once
  std::multimap<std::uint64_t, Client*> again_;  // by when they are to be started
  std::uint64_t began_ns_;
  double cpu_before_us_ = 0;  // of its thread, when the measured time began
  std::size_t second_ = 0;    // of the measured time, that tick is of
  bool is_end_told_ = false;  // who is open at the end has been told
};

}  // namespace ringwall::load
