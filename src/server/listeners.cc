// Listening sockets, one a shard, and the TLS contexts behind them.
#include <ringwall/log/log.h>
#include <ringwall/server/listen.h>

#include "server.h"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <string>
#include <utility>

namespace ringwall::server {

namespace {

// systemd takes no colon in it.
std::string kept_name(std::string address) {
  std::ranges::replace(address, ':', '_');
  return address;
}

// Each socket to a shard, so that none is left with clients in its queue; where there are fewer sockets than shards,
// several accept from one.
Result<std::vector<std::vector<int>>> deal(const std::vector<int>& sockets, std::size_t shards) {
  std::vector<std::vector<int>> dealt(shards);
  for (std::size_t index = 0; index < sockets.size(); ++index) dealt[index % shards].push_back(sockets[index]);
  for (std::size_t index = sockets.size(); index < shards; ++index) {
    const int copy = fcntl(sockets[index % sockets.size()], F_DUPFD_CLOEXEC, 0);
    if (copy < 0) return fail_errno("a listening socket for one more shard", errno);
    dealt[index].push_back(copy);
  }
  return dealt;
}

}  // namespace

Result<void> Server::make_listeners() {
  plans_.resize(shards_);
  for (const config::Listener& listener : config_.listeners) {
    Result<std::vector<int>> sockets = listen_on(listener.address, shards_, inherited_.take(listener.address));
    if (!sockets) return std::unexpected(sockets.error());
    const std::string name = kept_name(config::to_text(listener.address));
    for (const int socket : *sockets) sockets_.emplace_back(name, socket);
    Result<std::vector<std::vector<int>>> dealt = deal(*sockets, shards_);
    if (!dealt) return std::unexpected(dealt.error());
    for (std::size_t index = 0; index < shards_; ++index) {
      plans_[index].listeners.push_back({.config = &listener, .sockets = std::move((*dealt)[index]), .tls = nullptr});
    }
  }
  const std::int64_t now_s = std::time(nullptr);
  Result<Certificates> certificates = read_certificates(config_, now_s);
  if (!certificates) return std::unexpected(certificates.error());
  for (const std::string& notice : certificates->notices) log::warning("certificate", notice);
  identities_ = std::move(certificates->identities);
  const std::vector<bool> all(identities_.size(), true);
  for (std::size_t index = 0; index < shards_; ++index) {
    Result<Contexts> contexts = make_contexts(identities_, all, *ticket_keys_, now_s);
    if (!contexts) return std::unexpected(contexts.error());
    for (std::size_t at = 0; at < contexts->size(); ++at) {
      plans_[index].listeners[at].tls = (*contexts)[at];
    }
    if (index == 0) log_warnings(*contexts);
  }
  return {};
}

// systemd is told of them by the main process, which this one may not be yet.
void Server::close_unused() {
  for (const std::string& where : inherited_.close_left()) {
    log::warning("descriptor_unused",
                 "a descriptor was given to this process that no [[listener]] has a use for, and is closed: " + where);
    unused_.push_back(kept_name(where));
  }
}

}  // namespace ringwall::server
