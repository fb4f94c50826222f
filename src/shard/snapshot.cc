#include <ringwall/shard/shard.h>
#include <ringwall/shard/snapshot.h>

#include <time.h>

#include <algorithm>

namespace ringwall::shard {

namespace {

std::uint64_t thread_cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace

void LoopTime::advance(std::uint64_t between_ns, std::uint64_t enter_ns, std::uint64_t cpu_ns) {
  const std::uint64_t handled = between_ns - handlers_ns;
  const std::uint64_t entered = enter_ns - enter_ns_;
  const std::uint64_t worked = cpu_ns - cpu_ns_;
  const std::uint64_t kernel = std::min(worked > handled ? worked - handled : 0, entered);
  handlers_ns = between_ns;
  enter_ns_ = enter_ns;
  cpu_ns_ = cpu_ns;
  kernel_ns += kernel;
  idle_ns += entered - kernel;
}

void Snapshot::take(Shard& shard) {
  session::Service& service = shard.service();
  connection::Resources& resources = shard.resources();
  sessions = service.counters;
  calls = service.guard.call_counters;
  guard = service.guard.counters;
  ended = service.ended;
  quota = service.guard.admission.counters();
  connections = resources.counters;
  ring = resources.ring.counters();
  nodes.clear();
  for (const auto& node : service.nodes) {
    nodes.push_back({.connect_failures = node->connect_failures, .limit_reached = node->limit_reached});
  }
  shard.loop_time().advance(ring.between_ns, ring.enter_ns, thread_cpu_ns());
  loop = shard.loop_time();
  const connection::SharedBudget& waiting = shard.backlog();
  backlog = {.used = waiting.used(), .bound = waiting.bytes_max(), .times_reached = waiting.times_reached()};
  assembly = {.used = service.assembly.used(),
              .bound = service.assembly.bytes_max(),
              .times_reached = service.assembly.times_reached()};
  arena = {.used = resources.arena.bytes_held(), .bound = resources.arena.bytes_soft_max()};
  opened = service.sessions_opened;
  accept_pauses = accept_refused = 0;
  for (const auto& acceptor : shard.acceptors()) {
    accept_pauses += acceptor->times_full();
    accept_refused += acceptor->clients_refused();
  }
}

}  // namespace ringwall::shard
