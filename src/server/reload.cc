// What changes while shards serve: the configuration, read again, and certificates.
#include <ringwall/config/update.h>
#include <ringwall/log/log.h>
#include <ringwall/upstream/offers.h>

#include "server.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <semaphore>
#include <utility>

namespace ringwall::server {

namespace {

using Clock = std::chrono::steady_clock;

// A shard reads its letters once a turn.
constexpr std::chrono::seconds shards_answer_within{5};

struct Line {
  log::Level level;
  std::string text;
};

void tell(const Line& line) {
  log::write({.level = line.level, .event = "reload", .sentence = line.text, .fields = {}});
}

std::string counted(std::size_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::unexpected<Error> refuse(const std::vector<std::string>& mistakes) {
  std::string text;
  for (const std::string& mistake : mistakes) {
    tell({log::Level::error, "reload: " + mistake});
    text += mistake + "\n";
  }
  const std::string end = fmt::format("reload refused, nothing has changed: {}", counted(mistakes.size(), "mistake"));
  tell({log::Level::error, end});
  return fail(text + end);
}

std::vector<Line> lines_of(const config::Update& update) {
  std::vector<Line> lines;
  for (const config::Difference& difference : update.taken) {
    lines.push_back({log::Level::info, "reload: " + to_text(difference)});
  }
  for (const config::Difference& difference : update.left) {
    lines.push_back({log::Level::warning, "reload: needs a restart: " + to_text(difference)});
  }
  return lines;
}

}  // namespace

Result<std::string> Server::reload() {
  const std::lock_guard lock(reload_mutex_);
  if (is_stopping_) return fail("reload refused, nothing has changed: Ringwall is stopping");
  const std::expected<config::Config, std::vector<config::Problem>> read = config::load(sources_);
  if (!read) {
    std::vector<std::string> mistakes;
    for (const config::Problem& problem : read.error()) mistakes.push_back(config::to_text(problem));
    return refuse(mistakes);
  }
  const config::Update update = config::update(config_, *read);
  const std::int64_t now_s = std::time(nullptr);
  Result<Certificates> certificates = read_certificates(update.config, now_s);
  if (!certificates) return refuse({certificates.error().message});
  const std::vector<bool> is_changed = changed(identities_, certificates->identities);

  const config::Config& next = update.config;
  const auto settings = std::make_shared<const shard::Settings>(
      next, session::make_methods(next.methods),
      quota::next_terms(*terms_, session::quota_limits(next.limits), steady_now_ns()));
  const Result<void> published = publish(settings, certificates->identities, is_changed);
  if (!published) return refuse({published.error().message});
  if (config_.methods != next.methods) {
    offers_->change(*settings->methods, session::method_settings(next.methods));
  }
  ask_nodes_by(next);
  std::vector<Line> lines = lines_of(update);
  const Bounds now_bounds = bounds(next, shards_, bounds_.open_files);
  if (now_bounds.total_bytes != bounds_.total_bytes) {
    lines.push_back({log::Level::info, fmt::format("reload: memory: at most {} MiB in all from now on, {} before",
                                                   now_bounds.total_bytes >> 20, bounds_.total_bytes >> 20)});
  }
  for (const std::string& notice : certificates->notices) lines.push_back({log::Level::warning, notice});
  for (const std::string& text : new_certificates(certificates->identities)) {
    lines.push_back({log::Level::info, "reload: " + text});
  }
  const bool is_same = lines.empty();
  lines.push_back(
      {log::Level::info, is_same ? std::string("reloaded: nothing has changed")
                                 : fmt::format("reloaded: {} in force, {} for a restart",
                                               counted(update.taken.size(), "changed field"), update.left.size())});
  log::set_level(std::min(config_.log.level, next.log.level));
  std::string told;
  for (const Line& line : lines) {
    tell(line);
    told += (told.empty() ? "" : "\n") + line.text;
  }
  log::set_level(next.log.level);
  {
    const std::lock_guard served(served_mutex_);
    config_ = next;
    bounds_ = now_bounds;
    terms_ = settings->terms;
    identities_ = std::move(certificates->identities);
  }
  watch_->watch(files_of(identities_));
  return told;
}

// systemd waits for READY=1, whatever has become of it.
void Server::reload_at_signal() {
  notifier_.reloading();
  reloader_.ask([this](const Result<std::string>&) {
    const std::lock_guard lock(reload_mutex_);
    if (!is_stopping_) notifier_.ready("serving");
  });
}

bool Server::renew_certificates() {
  const std::lock_guard lock(reload_mutex_);
  if (is_stopping_) return true;
  Renewal renewal = server::renew_certificates(config_, identities_, std::time(nullptr));
  if (std::ranges::find(renewal.is_changed, true) != renewal.is_changed.end()) {
    if (const Result<void> published = publish(nullptr, renewal.identities, renewal.is_changed); !published) {
      renewal.mistakes.push_back(published.error().message);
      renewal.identities = identities_;
    }
  }
  for (const std::string& text : new_certificates(renewal.identities)) tell({log::Level::info, text});
  std::vector<std::string> told = std::move(renewal.notices);
  for (const std::string& mistake : renewal.mistakes) {
    told.push_back("a certificate has changed and is not served; the one before it still is: " + mistake);
  }
  for (const std::string& text : told) {
    if (std::ranges::find(told_of_certificates_, text) == told_of_certificates_.end())
      tell({log::Level::warning, text});
  }
  told_of_certificates_ = std::move(told);
  {
    const std::lock_guard served(served_mutex_);
    identities_ = std::move(renewal.identities);
  }
  return renewal.mistakes.empty();
}

// One line for each that is served from now on and was not.
std::vector<std::string> Server::new_certificates(const Identities& next) const {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < next.size(); ++at) {
    for (const tls::Identity& identity : next[at]) {
      const auto is_this = [&](const tls::Identity& other) {
        return other.chain_pem == identity.chain_pem && other.key_pem == identity.key_pem &&
               other.ocsp_der == identity.ocsp_der;
      };
      if (std::ranges::any_of(identities_[at], is_this)) continue;
      lines.push_back(fmt::format("listener {} has a new certificate for new connections: {}",
                                  config::to_text(config_.listeners[at].address), summary(identity)));
    }
  }
  return lines;
}

void Server::warn_of_expiry() const {
  const std::lock_guard lock(served_mutex_);
  for (const std::vector<tls::Identity>& listener : identities_) {
    for (const tls::Identity& identity : listener) {
      if (const auto text = tls::expiry_warning(identity, std::time(nullptr))) tell({log::Level::warning, *text});
    }
  }
}

std::vector<ServedCertificate> Server::certificates() const {
  const std::lock_guard lock(served_mutex_);
  std::vector<ServedCertificate> served;
  for (std::size_t at = 0; at < identities_.size(); ++at) {
    for (const tls::Identity& identity : identities_[at]) {
      served.push_back({.listener = config::to_text(config_.listeners[at].address),
                        .file = identity.files.chain_file,
                        .not_after_s = identity.not_after_s});
    }
  }
  return served;
}

// The settings for each shard, with contexts of its own of the listeners whose certificates have changed. Nothing is
// posted where one of them cannot be made.
Result<void> Server::publish(const std::shared_ptr<const shard::Settings>& settings, const Identities& identities,
                             const std::vector<bool>& is_changed) {
  const std::int64_t now_s = std::time(nullptr);
  std::vector<shard::Update> updates(threads_.size(), shard::Update{.settings = settings});
  for (shard::Update& one : updates) {
    Result<Contexts> contexts = make_contexts(identities, is_changed, *ticket_keys_, now_s);
    if (!contexts) return std::unexpected(contexts.error());
    one.tls = std::move(*contexts);
  }
  log_warnings(updates.front().tls);
  const auto taken = std::make_shared<std::counting_semaphore<>>(0);
  for (std::size_t index = 0; index < threads_.size(); ++index) {
    threads_[index].post([update = std::move(updates[index]), taken](shard::Shard& shard) {
      shard.adopt(update);
      taken->release();
    });
  }
  const Clock::time_point until = Clock::now() + shards_answer_within;
  for (const ShardThread& row : threads_) {
    while (!row.has_ended.load() && !taken->try_acquire_for(std::chrono::milliseconds(50))) {
      if (Clock::now() < until) continue;
      tell({log::Level::warning, "reload: a shard is busy and takes what is new as soon as it can"});
      return {};
    }
  }
  return {};
}

}  // namespace ringwall::server
