// From the first client to the last: what the main thread does meanwhile.
#include <ringwall/admin/unix_socket.h>
#include <ringwall/log/log.h>

#include "server.h"

#include <fmt/core.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <string>
#include <utility>

namespace ringwall::server {

namespace {

constexpr std::uint64_t ns_per_ms = 1'000'000;
constexpr std::uint64_t ticket_interval_ms = 60'000;
constexpr std::uint64_t upgrade_interval_ms = 20;
constexpr std::uint64_t stop_interval_ms = 10;
constexpr std::uint64_t stop_margin_ms = 5'000;  // of what systemd is told
// For handshakes that the old process has begun: they are nobody else's.
constexpr std::uint64_t handed_over_fresh_ns = 5'000'000'000;

std::uint64_t steady_now_ms() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

// The next signal of those that are blocked for this, or -1 after so long.
int wait_for_signal(std::uint64_t time_ms, bool while_serving) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  if (while_serving) {
    sigaddset(&signals, SIGHUP);
    sigaddset(&signals, SIGUSR2);
  }
  const timespec time{.tv_sec = static_cast<std::time_t>(time_ms / 1'000),
                      .tv_nsec = static_cast<long>(time_ms % 1'000 * ns_per_ms)};
  return sigtimedwait(&signals, nullptr, &time);
}

}  // namespace

Result<void> Server::wait_for_end() {
  if (Result<void> became = become_main(); !became) return became;
  end(serve_until_end());
  return {};
}

// The old process hears of it before systemd does: only the main process is believed.
Result<void> Server::become_main() {
  if (predecessor_.is_there()) {
    if (!predecessor_.say_ready()) return fail("the process that was to be replaced goes on: this one ends");
    if (!admin_path_.empty()) {
      if (Result<void> placed = admin::place_unix(admin_path_); !placed) {
        log::error("admin_open", placed.error().message);
      }
    }
  }
  if (admin_) {
    if (Result<void> serving = admin_->serve(); !serving) log::error("admin_open", serving.error().message);
  }
  phase_.store(shard::Phase::serving, std::memory_order_relaxed);
  notifier_.ready("serving");
  for (const std::string& name : unused_) notifier_.forget(name);
  for (const auto& [name, socket] : sockets_) notifier_.keep(socket, name);
  return {};
}

// The signal that asks for the end; 0 when a new process has taken over.
int Server::serve_until_end() {
  for (;;) {
    const int caught = wait_for_signal(ms_until_due(), true);
    if (caught == SIGTERM || caught == SIGINT) return caught;
    if (caught == SIGHUP) reload_at_signal();
    if (caught == SIGUSR2) is_upgrade_due_ = true;
    look_at_predecessor();
    if (is_upgrade_due_ && !predecessor_.is_there()) begin_upgrade();
    if (look_at_successor()) return 0;
    ticket_keys_->rotate(static_cast<std::int64_t>(steady_now_ms() / 1'000));
    beat();
  }
}

std::uint64_t Server::ms_until_due() const {
  if (successor_.is_starting() || predecessor_.is_there()) return upgrade_interval_ms;
  if (notifier_.watchdog_ms() == 0) return ticket_interval_ms;
  const std::uint64_t now_ms = steady_now_ms();
  return std::min(ticket_interval_ms, beat_due_ms_ > now_ms ? beat_due_ms_ - now_ms : 0);
}

// Alive is a process of which every shard has answered since the last time.
void Server::beat() {
  const std::uint64_t now_ms = steady_now_ms();
  if (notifier_.watchdog_ms() == 0 || now_ms < beat_due_ms_) return;
  beat_due_ms_ = now_ms + std::max<std::uint64_t>(notifier_.watchdog_ms() / 4, 1);
  const auto lives = [](const ShardThread& row) { return row.has_answered.load() || row.has_ended.load(); };
  if (!std::ranges::all_of(threads_, lives)) return;
  notifier_.alive();
  for (ShardThread& row : threads_) {
    row.has_answered.store(false);
    row.post([&row](shard::Shard&) { row.has_answered.store(true); });
  }
}

// Not before the process before this one has let go of the sockets: only this one hears of that.
void Server::begin_upgrade() {
  is_upgrade_due_ = false;
  if (successor_.is_starting()) {
    log::warning("upgrade", fmt::format("upgrade: process {} starts already, and no other", successor_.pid()));
    return;
  }
  if (getpid() == 1) {
    log::error("upgrade", no_place_for_a_successor);
    return;
  }
  is_handing_over_ = true;
  std::vector<int> sockets;
  for (const auto& [name, socket] : sockets_) sockets.push_back(socket);
  if (admin_tcp_ >= 0) sockets.push_back(admin_tcp_);
  // Where root's was, it would be another folder for the user that this process has become.
  std::vector<std::pair<std::string, std::string>> variables;
  if (std::getenv("STATE_DIRECTORY") == nullptr) {
    const std::lock_guard lock(served_mutex_);
    variables.emplace_back("STATE_DIRECTORY", config_.server.state_dir);
  }
  const Result<void> started = successor_.start(program_, sockets, *ticket_keys_, variables, steady_now_ms());
  if (started) {
    log::info("upgrade", fmt::format("upgrade: process {} starts", successor_.pid()));
  } else {
    is_handing_over_ = false;
    log::error("upgrade", "upgrade: no new process, this one goes on: " + started.error().message);
  }
}

// True: it has taken over.
bool Server::look_at_successor() {
  if (!successor_.is_starting()) return false;
  switch (successor_.look(steady_now_ms())) {
    case Successor::State::none:
    case Successor::State::starting:
      return false;
    case Successor::State::failed:
      log::error("upgrade",
                 fmt::format("upgrade: process {} has ended before it was ready, this one goes on", successor_.pid()));
      forget_successor();
      return false;
    case Successor::State::ready:
      break;
  }
  // Before the new one hears of it, and tells systemd that it is ready.
  notifier_.main_process(successor_.pid());
  if (successor_.confirm()) return true;
  notifier_.main_process(getpid());
  log::error("upgrade", fmt::format("upgrade: process {} has ended, this one goes on", successor_.pid()));
  forget_successor();
  return false;
}

// It has failed. What it could not take with it goes, too.
void Server::forget_successor() {
  if (!admin_path_.empty()) (void)unlink(admin::path_made(admin_path_, successor_.pid()).c_str());
  is_handing_over_ = false;
  look_again();
}

void Server::look_at_predecessor() {
  if (predecessor_.has_let_go()) look_again();
}

void Server::look_again() {
  for (ShardThread& row : threads_) row.post([](shard::Shard& shard) { shard.look_again(); });
}

// Asked of the shards until all have: the kernel takes its time to end an accept. Told then, since only from then on
// every new client is the new process'.
void Server::let_go() {
  if (!successor_.is_waiting()) return;
  bool all = true;
  for (ShardThread& row : threads_) {
    if (row.has_let_go.load() || row.has_ended.load()) continue;
    all = false;
    row.post([&row](shard::Shard& shard) { row.has_let_go.store(shard.has_let_go()); });
  }
  if (!all) return;
  successor_.let_go();
  log::info("upgrade", fmt::format("upgrade: process {} has taken over, this one drains", successor_.pid()));
}

// Before the shards stop to accept a load balancer has drain_delay_ms to see that this process is not ready. From then
// on nobody is let in: who is sent away by this process would come back to it, only to be sent away again. A second
// signal ends all at once; but not the first SIGTERM after a drain that was begun by the admin interface or by a
// takeover: who sends it as a rule wants the same, and knows nothing of the other.
void Server::end(int signal) {
  bool may_come_twice = is_asked_to_drain_.exchange(true) || signal == 0;
  const auto cuts = [&may_come_twice](int caught) {
    return caught >= 0 && !(caught == SIGTERM && std::exchange(may_come_twice, false));
  };
  if (signal == 0) {
    if (admin_) admin_->leave_socket();
    admin_.reset();  // from here on whoever asks is told of the new process
  }
  phase_.store(shard::Phase::draining, std::memory_order_relaxed);
  {
    const std::lock_guard lock(reload_mutex_);
    is_stopping_ = true;
  }
  watch_.reset();
  reloader_.stop();
  if (successor_.is_starting()) {
    successor_.give_up();
    forget_successor();
  }
  const config::Timeouts& timeouts = config_.timeouts;
  shard::Drain drain;
  if (signal != SIGINT) drain.spread_ns = timeouts.drain_ms * ns_per_ms;
  if (signal == 0) drain.fresh_ns = handed_over_fresh_ns;
  const std::uint64_t delay_ms = signal == SIGTERM ? timeouts.drain_delay_ms : 0;
  const std::uint64_t within_ms = delay_ms + drain.spread_ns / ns_per_ms + timeouts.stop_ms;
  if (signal != 0) {
    notifier_.stopping(within_ms + stop_margin_ms);
    log::info("stopping",
              fmt::format("stopping: {} received, at most {} ms", signal == SIGINT ? "SIGINT" : "SIGTERM", within_ms));
  }
  const std::uint64_t delay_until_ms = steady_now_ms() + delay_ms;
  bool at_once = false;
  for (std::uint64_t now_ms = 0; !at_once && (now_ms = steady_now_ms()) < delay_until_ms; beat()) {
    at_once = cuts(wait_for_signal(std::min(delay_until_ms - now_ms, ms_until_due()), false));
  }
  ask_to_stop(drain);
  if (at_once) ask_to_stop();
  // Not by a thread of its own: there may be none to be had now.
  while (!std::ranges::all_of(threads_, [](const ShardThread& row) { return row.has_ended.load(); })) {
    if (cuts(wait_for_signal(stop_interval_ms, false))) ask_to_stop();
    if (signal != 0) beat();
    let_go();
  }
  let_go();
  tell_totals();
}

void Server::ask_to_stop(const shard::Drain& drain) {
  for (ShardThread& row : threads_) {
    if (row.event >= 0) row.post([drain](shard::Shard& shard) { shard.stop(drain); });
  }
}

void Server::tell_totals() {
  Totals totals;
  for (ShardThread& row : threads_) {
    row.thread.join();
    totals.add(row.totals);
  }
  totals.tell(log::write);
}

}  // namespace ringwall::server
