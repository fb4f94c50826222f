// The admin interface: its sockets, opened while it may still be root, and what it can ask of this process.
#include <ringwall/admin/unix_socket.h>
#include <ringwall/config/address.h>
#include <ringwall/config/schema.h>
#include <ringwall/log/log.h>
#include <ringwall/server/listen.h>
#include <ringwall/server/process.h>
#include <ringwall/session/client_address.h>

#include "server.h"

#include <fmt/core.h>
#include <signal.h>
#include <unistd.h>

#include <optional>
#include <string>
#include <utility>

namespace ringwall::server {

namespace {

bool is_loopback(const config::Endpoint& endpoint) {
  const std::optional<session::AddressBytes> address = session::parse_address(endpoint.host);
  return address && session::is_loopback(*address);
}

}  // namespace

Result<void> Server::open_admin() {
  const config::Admin& admin = config_.admin;
  if (admin.address.port != 0) {
    // The process before this one still takes calls from it: it is left as it is.
    Result<std::vector<int>> sockets = inherited_.take(admin.address);
    if (sockets->empty()) sockets = listen_on(admin.address, 1);
    if (!sockets) return fail("admin.address: " + sockets.error().message);
    for (std::size_t index = 1; index < sockets->size(); ++index) close((*sockets)[index]);
    admin_sockets_.tcp = admin_tcp_ = sockets->front();
    if (!is_loopback(admin.address)) {
      log::warning(
          "admin_open",
          fmt::format("admin.address {}: whoever reaches it can read the metrics, without a password; all else "
                      "is kept for this machine",
                      config::to_text(admin.address)));
    }
  }
  if (admin.socket.empty()) return {};
  const Result<Account> account = account_of(config_.server.user, config_.server.group);
  if (!account) return std::unexpected(account.error());
  // Of the process before this one, which is found there until it is this one's turn.
  if (!predecessor_.is_there() && admin::is_listened_at(admin.socket)) {
    return fail("admin.socket: " + admin.socket + ": another process listens there: stop it, or choose another path");
  }
  const Result<int> socket = admin::listen_unix(admin.socket, account->uid, account->gid);
  if (!socket) return std::unexpected(socket.error());
  if (!predecessor_.is_there()) {
    if (Result<void> placed = admin::place_unix(admin.socket); !placed) return placed;
  }
  admin_sockets_.unix_socket = *socket;
  admin_sockets_.unix_path = admin_path_ = admin.socket;
  return {};
}

// It answers once this is the main process.
Result<void> Server::make_admin() {
  if (admin_sockets_.tcp < 0 && admin_sockets_.unix_socket < 0) return {};
  admin::Control control;
  control.version = RINGWALL_VERSION;
  control.shards = threads_.size();
  control.bans_file = config_.server.state_dir + "/bans";
  control.post = [this](std::size_t index, shard::Letter letter) { threads_[index].post(std::move(letter)); };
  control.has_ended = [this](std::size_t index) { return threads_[index].has_ended.load(std::memory_order_acquire); };
  control.nodes = [this] { return node_rows(); };
  control.certificates = [this] {
    std::vector<admin::CertificateExpiry> rows;
    for (const ServedCertificate& row : certificates())
      rows.push_back({.file = row.file, .not_after_s = row.not_after_s});
    return rows;
  };
  control.changes = config_.admin.changes;
  control.reload = [this](Reloader::Done done) { reloader_.ask(std::move(done)); };
  control.reloads = [this] { return reloader_.counts(); };
  control.readiness = [this](std::string_view upstream) {
    admin::Readiness nodes = nodes_readiness(upstream);
    if (!nodes.is_known) return nodes;
    if (is_asked_to_drain_) return admin::Readiness{.ready = false, .why = "draining"};
    switch (phase_.load(std::memory_order_relaxed)) {
      case shard::Phase::starting:
        return admin::Readiness{.ready = false, .why = "starting"};
      case shard::Phase::draining:
        return admin::Readiness{.ready = false, .why = "draining"};
      case shard::Phase::serving:
        break;
    }
    return nodes;
  };
  control.set_log_level = [](std::string_view level) -> Result<void> {
    for (const auto& [word, value] : config::words<log::Level>()) {
      if (word != level) continue;
      log::set_level(value);
      return {};
    }
    return fail("level: expected debug, info, warning or error");
  };
  control.drain = [this] { ask_to_drain(); };
  control.upgrade = [this] { return ask_to_upgrade(); };
  control.is_handing_over = [this] { return is_handing_over_.load(); };
  Result<std::unique_ptr<admin::Interface>> made =
      admin::Interface::create(std::exchange(admin_sockets_, {}), std::move(control));
  if (!made) return std::unexpected(made.error());
  admin_ = std::move(*made);
  return {};
}

Result<void> Server::ask_to_upgrade() {
  if (getpid() == 1) return fail(no_place_for_a_successor);
  if (is_asked_to_drain_) return fail("upgrade refused: this process is draining");
  if (is_handing_over_.exchange(true)) return fail("upgrade refused: a new process is starting already");
  kill(getpid(), SIGUSR2);
  return {};
}

// As from outside: there is one way to stop. Once, since a second signal would end all at once.
void Server::ask_to_drain() {
  if (!is_asked_to_drain_.exchange(true)) kill(getpid(), SIGTERM);
}

}  // namespace ringwall::server
