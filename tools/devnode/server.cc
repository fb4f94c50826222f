#include "devnode/server.h"

#include <fmt/format.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace ringwall::devnode {

namespace {

constexpr std::uint64_t second_ns = 1'000'000'000;
constexpr unsigned ring_entries = 1024;
constexpr std::uint16_t buffers_count = 64;
constexpr std::uint32_t buffer_bytes = 16 * 1024;
constexpr std::size_t arena_bytes = 16 << 20;
constexpr std::size_t backlog_bytes_max = 512 << 20;  // copied for readers that are behind
constexpr std::uint64_t send_timeout_ns = 120 * second_ns;
constexpr std::uint64_t linger_ns = second_ns;
constexpr std::uint64_t stop_timeout_ns = 2 * second_ns;
constexpr std::uint64_t accept_pause_ns = second_ns / 10;  // when the process is out of descriptors

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

// As many connections as the system lets it have.
void raise_open_files_limit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

Result<std::unique_ptr<Server>> Server::create(const Options& options, Runtime runtime) {
  auto listener = Listener::open(options.listen);
  if (!listener) return std::unexpected(listener.error());
  auto backend = ring::UringBackend::create(ring_entries);
  if (!backend) return std::unexpected(backend.error());
  raise_open_files_limit();
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  const int signals = signalfd(-1, &set, SFD_CLOEXEC);
  if (signals < 0) return fail_errno("signalfd", errno);
  std::unique_ptr<Server> server(
      new Server(options, std::move(runtime), std::move(*listener), std::move(*backend), signals));
  if (const int error = server->buffers_->error(); error != 0) return fail_errno("io_uring buffer ring", error);
  return server;
}

Server::Server(const Options& options, Runtime runtime, Listener listener, std::unique_ptr<ring::UringBackend> backend,
               int signals)
    : options_(options),
      listener_(std::move(listener)),
      buffers_(std::in_place, *backend, std::uint16_t{1}, buffers_count, buffer_bytes),
      backend_(std::move(backend)),
      ring_(*backend_),
      arena_(arena_bytes),
      backlog_(backlog_bytes_max, backlog_bytes_max),
      resources_{ring_, *buffers_, arena_, backlog_, send_timeout_ns, linger_ns, 0},
      node_(options, std::move(runtime), ring_.timers()),
      next_block_ns_(monotonic_ns()),
      signals_(signals) {}

Server::~Server() { close(signals_); }

std::string Server::introduction() const {
  return fmt::format("ringwall-devnode " RINGWALL_VERSION
                     ", a stand-in for a node that executes nothing: ws://{} and POST, a block "
                     "every {} ms, {}",
                     listener_.address(), options_.block_ms,
                     options_.metadata_file.empty()
                         ? "metadata of a runtime without pallets (--metadata FILE for a real one's)"
                         : fmt::format("metadata version {}", node_.runtime.metadata_version()));
}

void Server::run() {
  start_accept();
  start_clock();
  io_uring_prep_read(&ring_.prepare(wait_for_signal_), signals_, &signal_, sizeof signal_, 0);
  while (!is_stopping_ || ring_.operations_in_flight() > 0 || !clients_.empty()) {
    const bool is_busy = resources_.end_turn();
    ring_.turn(is_busy ? 0 : 60 * second_ns);
    tell_those_with_room();
  }
}

void Server::start_accept() {
  io_uring_prep_multishot_accept(&ring_.prepare(accept_), listener_.socket(), nullptr, nullptr, SOCK_CLOEXEC);
}

void Server::on_accept(const ring::Completion& completion) {
  if (completion.result >= 0 && is_stopping_) {
    backend_->close_socket(completion.result);
  } else if (completion.result >= 0) {
    clients_.emplace_back(*this, node_, resources_, listener_.port()).adopt(completion.result);
  }
  if (!completion.is_last()) return;
  if (is_stopping_) return listener_.close();
  const int error = -completion.result;
  const bool is_out = error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
  if (!is_out) return start_accept();
  ring_.timers().start(accept_again_, ring_.now_ns() + accept_pause_ns);
}

void Server::remove(Client& client) {
  std::erase(waiting_, &client);
  clients_.remove_if([&](const Client& one) { return &one == &client; });
}

void Server::tell_those_with_room() {
  for (Client* client : std::exchange(waiting_, {})) client->on_room();
}

void Server::start_clock() {
  const std::uint64_t interval_ns = std::uint64_t{options_.block_ms} * 1'000'000;
  // Blocks that were missed, by a machine that slept, are not made up for.
  next_block_ns_ = std::max(next_block_ns_, monotonic_ns() - interval_ns) + interval_ns;
  ring_.timers().start(block_timer_, next_block_ns_);
}

void Server::on_block_due() {
  if (node_.holds_blocks) return start_clock();
  const std::uint32_t finalized_before = node_.chain.finalized();
  node_.chain.advance();
  const Chain& chain = node_.chain;
  BlockNews news{chain.header(chain.best())->to_json(), {}};
  if (chain.finalized() != finalized_before) news.finalized_header = chain.header(chain.finalized())->to_json();
  for (Client& client : clients_) client.on_block(news);
  start_clock();
}

void Server::on_signal(const ring::Completion&) {
  is_stopping_ = true;
  const sigset_t set = stop_signals();
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  block_timer_.stop();
  accept_again_.stop();
  if (accept_.in_flight()) {
    ring_.cancel(accept_, cancel_accept_);
  } else {
    listener_.close();
  }
  for (Client& client : clients_) client.leave();
  ring_.timers().start(deadline_, ring_.now_ns() + stop_timeout_ns);
}

void Server::on_deadline() {
  for (Client& client : clients_) client.abort();
}

}  // namespace ringwall::devnode
