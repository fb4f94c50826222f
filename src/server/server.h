// server.h: the whole process: what it was told to do, its shards' threads, and what they share.
//
// Owner: serve(), on the main thread, which alone calls it but for what says otherwise. server.cc makes and ends it,
// listeners.cc its sockets and certificates, admin.cc what operators reach it by; reload.cc is what changes while it
// serves.
#pragma once

#include <ringwall/admin/interface.h>
#include <ringwall/config/config.h>
#include <ringwall/config/load.h>
#include <ringwall/error.h>
#include <ringwall/log/writer.h>
#include <ringwall/server/bounds.h>
#include <ringwall/server/certificate_watch.h>
#include <ringwall/server/certificates.h>
#include <ringwall/server/confine.h>
#include <ringwall/server/offload.h>
#include <ringwall/server/reloader.h>
#include <ringwall/server/totals.h>
#include <ringwall/session/guard.h>
#include <ringwall/shard/mailbox.h>
#include <ringwall/shard/phase.h>
#include <ringwall/shard/shard.h>
#include <ringwall/tls/ticket_keys.h>
#include <ringwall/upstream/offers.h>
#include <ringwall/upstream/target.h>
#include <ringwall/upstream/watch.h>

#include "inherited.h"
#include "notify.h"
#include "upgrade.h"

#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace ringwall::server {

// The clock of all of them.
[[nodiscard]] std::uint64_t steady_now_ns();

// A line for each thing that an operator should know of these certificates.
void log_warnings(const Contexts& contexts);

// A shard's thread, with what reaches it.
struct ShardThread {
  // Wakes the shard to read it.
  void post(shard::Letter letter) {
    mailbox.post(std::move(letter));
    const std::uint64_t one = 1;
    (void)!write(event, &one, sizeof one);
  }

  std::thread thread;
  shard::Mailbox mailbox;
  int event = -1;
  Totals totals{};  // the thread's, until it has ended
  std::atomic<bool> has_ended = false;
  std::atomic<bool> has_answered = true;  // the last letter of Server::beat()
  std::atomic<bool> has_let_go = false;   // of its listening sockets, as of the last letter
};

inline constexpr const char* no_place_for_a_successor =
    "upgrade: this is process 1 of a container, which ends with it: start a new container";

// Of a certificate that is served now.
struct ServedCertificate {
  std::string listener;  // its address
  std::string file;
  std::int64_t not_after_s;  // Unix time
};

class Server {
 public:
  // `config` is what `sources` say; reload() reads them again.
  Server(config::Config config, config::Sources sources) : config_(std::move(config)), sources_(std::move(sources)) {}
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  [[nodiscard]] Result<void> prepare();
  [[nodiscard]] Result<void> start();
  void announce() const;
  // Takes over from the process before this one, which may have thought better of it: then this one is to end. Serves
  // until a signal or a successor ends it.
  [[nodiscard]] Result<void> wait_for_end();

  // Reads the sources again and gives what has changed to every shard; what only a restart can change is named. An
  // error has changed nothing, and says why, a mistake a line. All is logged, too. From start() on. On the reloader's
  // thread; blocks for as long as it takes to read the files, and until the shards have what is new.
  [[nodiscard]] Result<std::string> reload();
  // Any thread, from start() on.
  [[nodiscard]] std::vector<ServedCertificate> certificates() const;

 private:
  [[nodiscard]] Result<void> check_ring() const;
  [[nodiscard]] Result<void> make_listeners();
  void close_unused();
  [[nodiscard]] Result<void> make_targets();
  [[nodiscard]] Result<void> ask_nodes();
  [[nodiscard]] Result<void> watch_nodes();
  void ask_nodes_by(const config::Config& next);
  [[nodiscard]] std::vector<admin::NodeRow> node_rows() const;
  [[nodiscard]] admin::Readiness nodes_readiness(std::string_view upstream) const;
  [[nodiscard]] Result<void> open_admin();
  [[nodiscard]] Result<void> make_admin();
  [[nodiscard]] bool renew_certificates();
  void warn_of_expiry() const;
  [[nodiscard]] std::vector<std::string> new_certificates(const Identities& next) const;
  [[nodiscard]] Result<void> publish(const std::shared_ptr<const shard::Settings>& settings,
                                     const Identities& identities, const std::vector<bool>& is_changed);
  [[nodiscard]] Result<void> start_shards(const std::shared_future<bool>& begun);
  [[nodiscard]] Result<void> begin_to_listen() const;
  [[nodiscard]] Result<void> become_main();
  void reload_at_signal();
  void ask_to_drain();
  [[nodiscard]] Result<void> ask_to_upgrade();
  void forget_successor();
  [[nodiscard]] int serve_until_end();
  void begin_upgrade();
  [[nodiscard]] bool look_at_successor();
  void look_at_predecessor();
  void look_again();
  void let_go();
  void beat();
  [[nodiscard]] std::uint64_t ms_until_due() const;
  void end(int signal);
  void ask_to_stop(const shard::Drain& drain = {});
  void tell_totals();

  std::unique_ptr<log::Writer> log_writer_;  // outlives all that logs
  // From start() on. What a reload changes, up to sources_, is written by who has both, and read by who has one of
  // them.
  std::mutex reload_mutex_;          // for as long as a reload or a renewal takes
  mutable std::mutex served_mutex_;  // for a moment
  std::optional<quota::Terms> terms_;
  Identities identities_;
  std::vector<std::string> told_of_certificates_;
  bool is_stopping_ = false;
  config::Config config_;
  const config::Sources sources_;
  std::vector<int> cores_;
  std::size_t shards_ = 1;
  Bounds bounds_{};
  OffloadChoice offload_{};
  Confined confined_{};
  std::unique_ptr<tls::TicketKeys> ticket_keys_;
  std::unique_ptr<session::Rules> rules_;
  std::vector<std::unique_ptr<upstream::Target>> targets_;  // of each of Config::upstreams, one after the other
  std::unique_ptr<upstream::Resolver> resolver_;
  std::unique_ptr<upstream::Offers> offers_;
  std::unique_ptr<upstream::Watch> node_watch_;
  std::vector<shard::Plan> plans_;
  std::vector<std::pair<std::string, int>>
      sockets_;  // that listen, by the names that systemd keeps them under; the shards'
  std::vector<ShardThread> threads_;
  Reloader reloader_{[this] { return reload(); }};
  std::atomic<bool> is_handing_over_ = false;    // from the wish for a successor until it has failed, or taken over
  std::atomic<bool> is_asked_to_drain_ = false;  // by the admin interface, or the end has begun
  admin::Sockets admin_sockets_{};               // until the interface has them
  std::string admin_path_{};                     // of its Unix socket
  int admin_tcp_ = -1;                           // the interface's, for a successor
  std::unique_ptr<admin::Interface> admin_;
  std::unique_ptr<CertificateWatch> watch_;
  shard::PublishedPhase phase_ = shard::Phase::starting;
  const Program program_{};
  Notifier notifier_{};
  Predecessor predecessor_{};
  Inherited inherited_{predecessor_.is_there()};  // before this process opens a descriptor of its own
  std::vector<std::string> unused_;               // what systemd keeps for nobody, by its name there
  Successor successor_{};
  std::uint64_t beat_due_ms_ = 0;
  bool is_upgrade_due_ = false;
};

}  // namespace ringwall::server
