#include <ringwall/admin/unix_socket.h>
#include <ringwall/log/log.h>
#include <ringwall/ring/uring_backend.h>
#include <ringwall/server/announce.h>
#include <ringwall/server/listen.h>
#include <ringwall/server/process.h>

#include "server.h"

#include <fmt/core.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/random.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <future>
#include <string>
#include <system_error>

namespace ringwall::server {

std::uint64_t steady_now_ns() {
  return static_cast<std::uint64_t>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
          .count());
}

namespace {

std::int64_t steady_now_s() { return static_cast<std::int64_t>(steady_now_ns() / 1'000'000'000); }

HashSeed random_seed() {
  HashSeed seed;
  RINGWALL_CHECK(getrandom(seed.data(), seed.size(), 0) == static_cast<ssize_t>(seed.size()));
  return seed;
}

void run_shard(shard::Plan plan, int core, log::Writer& log, std::size_t index, std::promise<Result<void>>& started,
               const std::shared_future<bool>& begun, ShardThread& self) {
  // By the thread itself: of another one it is a file of /proc, which nobody may write any more.
  pthread_setname_np(pthread_self(), fmt::format("shard-{}", index).c_str());
  pin_to_core(core);
  log.use_lane(index);
  Result<std::unique_ptr<ring::UringBackend>> backend = ring::UringBackend::create(shard::ring_entries);
  if (!backend) return started.set_value(std::unexpected(backend.error()));
  shard::Shard shard(**backend, std::move(plan));
  if (shard.error() != 0) return started.set_value(fail_errno("a shard's buffers were refused", shard.error()));
  started.set_value({});
  if (begun.get()) {
    shard.run();
    self.totals.add(shard);
  }
  self.has_ended.store(true, std::memory_order_release);
}

}  // namespace

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
  predecessor_.take_keys(*ticket_keys_);
  rules_ = std::make_unique<session::Rules>(config_, random_seed(), steady_now_ns());
  terms_ = rules_->terms;
  // Before they are read, so that no change is missed.
  Result<std::unique_ptr<CertificateWatch>> watch = CertificateWatch::create(
      files_of(config_), [this] { return renew_certificates(); }, [this] { warn_of_expiry(); });
  if (!watch) return std::unexpected(watch.error());
  watch_ = std::move(*watch);
  if (Result<void> made = make_listeners(); !made) return made;
  if (Result<void> opened = open_admin(); !opened) return opened;
  close_unused();
  // Where bans are kept, while it may be made still: a confined process sees only what was there.
  std::error_code made;
  if (std::filesystem::create_directories(config_.server.state_dir, made)) {
    std::filesystem::permissions(config_.server.state_dir, std::filesystem::perms::owner_all, made);
  }
  if (!config_.server.user.empty()) {
    if (Result<void> dropped = drop_privileges(config_.server.user, config_.server.group); !dropped) return dropped;
    for (const std::string& line : unreadable_when_renewed(config_, sources_.file, files_of(identities_))) {
      log::warning("unreadable", line);
    }
  }
  confined_ = confine(confinement(config_, sources_.file), config_.server.confine, predecessor_.is_there());
  Result<std::unique_ptr<log::Writer>> log_writer = log::Writer::start(shards_);
  if (!log_writer) return std::unexpected(log_writer.error());
  log_writer_ = std::move(*log_writer);
  if (Result<void> made = make_targets(); !made) return made;
  if (Result<void> asking = ask_nodes(); !asking) return asking;
  return watch_nodes();
}

// Clients are accepted once nothing can fail any more: until then they are another process', or wait.
Result<void> Server::start() {
  std::promise<bool> begin;
  Result<void> ready = start_shards(begin.get_future().share());
  if (ready) {
    watch_->watch(files_of(identities_));
    ready = watch_->start();
  }
  if (ready) ready = reloader_.start();
  if (ready) ready = make_admin();
  if (ready) ready = begin_to_listen();
  begin.set_value(ready.has_value());
  return ready;
}

Result<void> Server::begin_to_listen() const {
  for (const auto& [name, socket] : sockets_) {
    if (Result<void> listening = server::begin_to_listen(socket); !listening) return listening;
  }
  return {};
}

Result<void> Server::start_shards(const std::shared_future<bool>& begun) {
  threads_ = std::vector<ShardThread>(shards_);
  for (std::size_t index = 0; index < shards_; ++index) {
    shard::Plan& plan = plans_[index];
    plan.config = &config_;
    plan.rules = rules_.get();
    plan.offers = offers_.get();
    plan.watch = node_watch_.get();
    plan.offload = offload_.settings;
    for (const auto& target : targets_) plan.targets.push_back(target.get());
    plan.sessions_max = bounds_.connections_per_shard;
    plan.log = log::write;
    plan.mailbox = &threads_[index].mailbox;
    plan.event = threads_[index].event = eventfd(0, EFD_CLOEXEC);
    if (plan.event < 0) return fail_errno("eventfd", errno);
    std::promise<Result<void>> started;
    std::future<Result<void>> result = started.get_future();
    try {
      threads_[index].thread =
          std::thread(run_shard, std::move(plan), cores_[index % cores_.size()], std::ref(*log_writer_), index,
                      std::ref(started), begun, std::ref(threads_[index]));
    } catch (const std::system_error& refused) {
      return fail_no_thread(refused.code().value());
    }
    if (Result<void> ready = result.get(); !ready) return ready;
  }
  node_watch_->tell_silence_to([this](const upstream::Silence& silence) {
    for (ShardThread& row : threads_) {
      row.post([silence](shard::Shard& shard) { shard.service().note_silence(silence); });
    }
  });
  return {};
}

void Server::announce() const {
  const std::lock_guard lock(served_mutex_);
  const std::string text = announcement(config_, bounds_, shards_, offload_.text + confined_text(confined_));
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

Server::~Server() {
  if (!admin_sockets_.unix_path.empty()) admin::remove_unix(admin_sockets_.unix_path);
  reloader_.stop();                                   // it posts to the shards
  admin_.reset();                                     // it asks the shards
  watch_.reset();                                     // it posts to the shards
  if (node_watch_) node_watch_->tell_silence_to({});  // so does this, but is theirs to their end
  if (std::ranges::any_of(threads_, [](const ShardThread& row) { return row.thread.joinable(); })) {
    ask_to_stop();
    ask_to_stop();
    for (ShardThread& row : threads_) {
      if (row.thread.joinable()) row.thread.join();
    }
  }
  for (const ShardThread& row : threads_) {
    if (row.event >= 0) close(row.event);
  }
}

}  // namespace ringwall::server
