#include <ringwall/server/serve.h>

#include <ringwall/config/route.h>
#include <ringwall/ring/uring_backend.h>
#include <ringwall/server/announce.h>
#include <ringwall/server/bounds.h>
#include <ringwall/server/kept_certificate.h>
#include <ringwall/server/listen.h>
#include <ringwall/server/offload.h>
#include <ringwall/server/output.h>
#include <ringwall/server/process.h>
#include <ringwall/server/totals.h>
#include <ringwall/shard/shard.h>
#include <ringwall/tls/ticket_keys.h>
#include <ringwall/upstream/offers.h>

#include <fmt/core.h>
#include <poll.h>
#include <signal.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <future>
#include <system_error>
#include <thread>
#include <utility>

namespace ringwall::server {

namespace {

std::int64_t unix_now_s() { return static_cast<std::int64_t>(std::time(nullptr)); }

std::uint64_t steady_now_ns() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

std::int64_t steady_now_s() { return static_cast<std::int64_t>(steady_now_ns() / 1'000'000'000); }

HashSeed random_seed() {
  HashSeed seed;
  RINGWALL_CHECK(getrandom(seed.data(), seed.size(), 0) == static_cast<ssize_t>(seed.size()));
  return seed;
}

int refuse(const std::string& why) {
  print_error("ringwall: " + why + "\n");
  return 1;
}

// False while nobody reads standard error and its pipe is full: a line would stop the thread that writes it.
bool log_takes_a_line() {
  pollfd log{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  return poll(&log, 1, 0) == 1 && (log.revents & POLLOUT) != 0;
}

// A shard's thread, with what it needs to be told to stop.
struct ShardThread {
  std::thread thread;
  int stop_event = -1;
  Totals totals{};  // the thread's, until it has ended
  std::atomic<bool> has_ended = false;
};

spdlog::level::level_enum level_of(upstream::OfferLine::Level level) {
  switch (level) {
    case upstream::OfferLine::Level::debug:
      return spdlog::level::debug;
    case upstream::OfferLine::Level::info:
      return spdlog::level::info;
    case upstream::OfferLine::Level::warning:
      return spdlog::level::warn;
  }
  return spdlog::level::info;
}

class Server {
 public:
  explicit Server(config::Config config) : config_(std::move(config)) {}
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] Result<void> prepare();
  [[nodiscard]] Result<void> start();
  void announce() const;
  void wait_for_end();

 private:
  [[nodiscard]] Result<void> check_ring() const;
  [[nodiscard]] Result<void> make_listeners();
  [[nodiscard]] Result<tls::Settings> tls_settings(const config::Listener& listener) const;
  [[nodiscard]] Result<void> ask_nodes();
  void ask_to_stop();

  config::Config config_;
  std::vector<int> cores_;
  std::size_t shards_ = 1;
  Bounds bounds_{};
  OffloadChoice offload_{};
  std::unique_ptr<tls::TicketKeys> ticket_keys_;
  std::unique_ptr<session::Rules> rules_;
  std::vector<std::unique_ptr<upstream::Target>> targets_;
  std::unique_ptr<upstream::Resolver> resolver_;
  std::unique_ptr<upstream::Offers> offers_;
  std::vector<shard::Plan> plans_;
  std::vector<ShardThread> threads_;
};

// The kernel must offer what every shard needs; asked once, before anything is bound.
Result<void> Server::check_ring() const {
  Result<std::unique_ptr<ring::UringBackend>> backend = ring::UringBackend::create(shard::ring_entries);
  if (!backend) return std::unexpected(backend.error());
  const ring::BufferRing buffers(**backend, 1, static_cast<std::uint16_t>(config_.server.buffers_per_shard),
                                 config_.server.buffer_bytes);
  if (buffers.error() != 0) {
    return fail_errno("this kernel refuses a ring of provided buffers (Ringwall needs Linux 6.1 or newer)",
                      buffers.error());
  }
  return {};
}

// Each file is read once, so that all shards have the same.
Result<tls::Settings> Server::tls_settings(const config::Listener& listener) const {
  tls::Settings settings;
  for (const config::Certificate& row : listener.certificates) {
    Result<tls::Identity> identity = tls::load_identity({row.cert, row.key, row.ocsp});
    if (!identity) return std::unexpected(identity.error());
    settings.identities.push_back(std::move(*identity));
  }
  if (!listener.self_signed.empty()) {
    Result<Kept> kept = keep_self_signed(config_.server.state_dir, listener.self_signed, unix_now_s());
    if (!kept) return std::unexpected(kept.error());
    if (!kept->notice.empty()) spdlog::warn("{}", kept->notice);
    settings.identities.push_back(std::move(kept->identity));
  }
  return settings;
}

Result<void> Server::make_listeners() {
  plans_.resize(shards_);
  for (const config::Listener& listener : config_.listeners) {
    Result<std::vector<int>> sockets = listen_on(listener.address, shards_);
    if (!sockets) return std::unexpected(sockets.error());
    for (std::size_t index = 0; index < shards_; ++index) {
      plans_[index].listeners.push_back({.config = &listener, .socket = (*sockets)[index], .tls = nullptr});
    }
    if (listener.kind != config::ListenerKind::tls) continue;
    const Result<tls::Settings> settings = tls_settings(listener);
    if (!settings) return std::unexpected(settings.error());
    for (std::size_t index = 0; index < shards_; ++index) {
      Result<std::unique_ptr<tls::Context>> context = tls::Context::load(*settings, *ticket_keys_, unix_now_s());
      if (!context) return std::unexpected(context.error());
      for (const std::string& warning : (*context)->warnings()) {
        if (index == 0) spdlog::warn("{}", warning);
      }
      plans_[index].listeners.back().tls = std::move(*context);
    }
  }
  return {};
}

Result<void> Server::prepare() {
  const std::size_t open_files = raise_open_files();
  if (Result<void> checked = check_ring(); !checked) return checked;
  cores_ = usable_cores();
  shards_ = config_.server.shards == 0 ? cores_.size() : config_.server.shards;
  bounds_ = bounds(config_, shards_, open_files);
  // As root still, where it is: what the kernel has in modules it loads for those who may.
  Result<OffloadChoice> offload = choose_offload(config_);
  if (!offload) return std::unexpected(offload.error());
  offload_ = std::move(*offload);
  Result<std::unique_ptr<tls::TicketKeys>> keys = tls::TicketKeys::create({}, steady_now_s());
  if (!keys) return std::unexpected(keys.error());
  ticket_keys_ = std::move(*keys);
  rules_ = std::make_unique<session::Rules>(config_, random_seed(), steady_now_ns());
  if (Result<void> made = make_listeners(); !made) return made;
  std::vector<upstream::Resolver::Row> rows;
  for (const config::Upstream& row : config_.upstreams) {
    targets_.push_back(
        std::make_unique<upstream::Target>(row.name, row.address.host, row.address.port, row.connections_max));
    rows.push_back({.target = targets_.back().get(), .interval_s = row.resolve_interval_s});
  }
  if (!config_.server.user.empty()) {
    if (Result<void> dropped = drop_privileges(config_.server.user, config_.server.group); !dropped) return dropped;
  }
  resolver_ = std::make_unique<upstream::Resolver>(rows);
  if (resolver_->error() != 0) return fail_no_thread(resolver_->error());
  for (const auto& target : targets_) {
    if (target->addresses()->empty()) {
      spdlog::warn("upstream {}: its name is not found yet: it is asked for again", target->name());
    }
  }
  return ask_nodes();
}

// What the nodes offer is asked for while clients are served already.
Result<void> Server::ask_nodes() {
  std::vector<const upstream::Target*> targets;
  for (std::size_t index = 0; index < targets_.size(); ++index) {
    targets.push_back(config::serves_rpc(config_, index) ? targets_[index].get() : nullptr);
  }
  Result<std::unique_ptr<upstream::Offers>> offers = upstream::Offers::start(
      targets, rules_->methods, session::method_settings(config_.methods), [](const upstream::OfferLine& line) {
        if (log_takes_a_line()) spdlog::log(level_of(line.level), "{}", line.text);
      });
  if (!offers) return std::unexpected(offers.error());
  offers_ = std::move(*offers);
  return {};
}

void run_shard(shard::Plan plan, int core, std::promise<Result<void>>& started, ShardThread& self) {
  pin_to_core(core);
  Result<std::unique_ptr<ring::UringBackend>> backend = ring::UringBackend::create(shard::ring_entries);
  if (!backend) return started.set_value(std::unexpected(backend.error()));
  shard::Shard shard(**backend, std::move(plan));
  if (shard.error() != 0) return started.set_value(fail_errno("a shard's buffers were refused", shard.error()));
  started.set_value({});
  shard.run();
  self.totals.add(shard);
  self.has_ended.store(true, std::memory_order_release);
}

Result<void> Server::start() {
  threads_ = std::vector<ShardThread>(shards_);
  for (std::size_t index = 0; index < shards_; ++index) {
    shard::Plan& plan = plans_[index];
    plan.config = &config_;
    plan.rules = rules_.get();
    plan.offers = offers_.get();
    plan.offload = offload_.settings;
    for (const auto& target : targets_) plan.targets.push_back(target.get());
    plan.sessions_max = bounds_.connections_per_shard;
    plan.notice = [](session::Notice, const std::string& text) {
      if (log_takes_a_line()) spdlog::warn("{}", text);
    };
    plan.stop_event = threads_[index].stop_event = eventfd(0, EFD_CLOEXEC);
    if (plan.stop_event < 0) return fail_errno("eventfd", errno);
    std::promise<Result<void>> started;
    std::future<Result<void>> result = started.get_future();
    try {
      threads_[index].thread = std::thread(run_shard, std::move(plan), cores_[index % cores_.size()], std::ref(started),
                                           std::ref(threads_[index]));
    } catch (const std::system_error& refused) {
      return fail_no_thread(refused.code().value());
    }
    if (Result<void> ready = result.get(); !ready) return ready;
  }
  return {};
}

void Server::announce() const {
  const std::string text = announcement(config_, bounds_, shards_, offload_.text);
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

void Server::ask_to_stop() {
  const std::uint64_t one = 1;
  for (const ShardThread& row : threads_) {
    if (row.stop_event >= 0) (void)!write(row.stop_event, &one, sizeof one);
  }
}

// The first signal stops in order, a second one at once.
void Server::wait_for_end() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  constexpr timespec ticket_interval{.tv_sec = 60, .tv_nsec = 0};
  int caught = 0;
  while ((caught = sigtimedwait(&signals, nullptr, &ticket_interval)) < 0) ticket_keys_->rotate(steady_now_s());
  if (log_takes_a_line()) {
    spdlog::info("stopping: {} received, at most {} ms", caught == SIGINT ? "SIGINT" : "SIGTERM",
                 config_.timeouts.stop_ms);
  }
  ask_to_stop();
  // Not by a thread of its own: there may be none to be had now.
  constexpr timespec while_stopping{.tv_sec = 0, .tv_nsec = 10'000'000};
  while (!std::ranges::all_of(threads_, [](const ShardThread& row) { return row.has_ended.load(); })) {
    if (sigtimedwait(&signals, nullptr, &while_stopping) >= 0) ask_to_stop();
  }
  Totals totals;
  for (ShardThread& row : threads_) {
    row.thread.join();
    totals.add(row.totals);
  }
  if (log_takes_a_line()) spdlog::info("{}", totals.sessions_text());
  if (log_takes_a_line()) spdlog::info("{}", totals.guard_text());
  if (const std::string unknown = totals.unknown_text(); !unknown.empty() && log_takes_a_line()) {
    spdlog::info("{}", unknown);
  }
}

Server::~Server() {
  if (std::ranges::any_of(threads_, [](const ShardThread& row) { return row.thread.joinable(); })) {
    ask_to_stop();
    ask_to_stop();
    for (ShardThread& row : threads_) {
      if (row.thread.joinable()) row.thread.join();
    }
  }
  for (const ShardThread& row : threads_) {
    if (row.stop_event >= 0) close(row.stop_event);
  }
}

// Before there are threads, so that all of them inherit it.
void block_signals() {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGHUP, SIG_IGN);  // there is nothing to load again yet, and nobody is to be cut for it
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

spdlog::level::level_enum level_of(config::LogLevel level) {
  switch (level) {
    case config::LogLevel::debug:
      return spdlog::level::debug;
    case config::LogLevel::info:
      return spdlog::level::info;
    case config::LogLevel::warning:
      return spdlog::level::warn;
    case config::LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

int serve(config::Config config) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("ringwall"));
  spdlog::set_level(level_of(config.server.log_level));
  block_signals();
  Server server(std::move(config));
  if (const Result<void> prepared = server.prepare(); !prepared) return refuse(prepared.error().message);
  if (const Result<void> started = server.start(); !started) return refuse(started.error().message);
  server.announce();
  server.wait_for_end();
  return 0;
}

}  // namespace ringwall::server
