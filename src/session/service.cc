#include <ringwall/session/service.h>

#include <ringwall/session/session.h>

#include <algorithm>
#include <bit>
#include <utility>

namespace ringwall::session {

namespace {

constexpr std::uint64_t unknown_names_again_ns = 1'000'000'000;
constexpr std::size_t one_address_connections_min = 32;
constexpr std::uint64_t one_address_interval_ns = 600'000'000'000;

}  // namespace

// Where a share is as large as a message may be, the message still needs the room in front of it.
ListenerService::ListenerService(const config::Listener& config_in, std::shared_ptr<const tls::Context> tls_in)
    : config(config_in),
      tls(std::move(tls_in)),
      name(std::make_shared<const std::string>(config::to_text(config_in.address))) {}

Service::Service(connection::Resources& resources_in, const config::Config& config_in, Rules& rules,
                 const upstream::Offers* offers, log::Sink log)
    : config_(config_in),
      resources(resources_in),
      guard(rules, config),
      assembly(config_in.server.assembly_bytes_max + websocket::frame_header_bytes_max,
               config_in.server.assembly_bytes_per_address_max + websocket::frame_header_bytes_max,
               std::max(config_in.limits.message_bytes_max, config_in.limits.body_bytes_max) +
                   websocket::frame_header_bytes_max,
               assembly_reserve_bytes),
      reports(resources_in.ring, config.log, std::move(log)),
      unmasked(std::max<std::size_t>(config_in.server.buffer_bytes, connection::Arena::block_bytes)),
      offers_(offers) {
  resources.ring.backend().fill_random(seed_);
}

void Service::adopt(const config::Config& next, std::shared_ptr<const rpc::MethodTable> methods,
                    const quota::Terms& terms) {
  RINGWALL_CHECK(next.upstreams.size() == config_.upstreams.size());
  config_ = next;
  guard.adopt(std::move(methods), terms);
}

Service::~Service() { RINGWALL_CHECK(sessions.empty()); }

void Service::open(int socket, const ListenerService& listener) {
  ring::Backend& backend = resources.ring.backend();
  const AddressBytes peer = address_bytes(backend.peer_address(socket));
  const bool is_proxy =
      listener.config.proxy_protocol == config::ProxyProtocol::required || is_in(peer, listener.config.trusted_proxies);
  quota::Connection place;
  if (!admit(place, peer, is_proxy)) {
    backend.reset_on_close(socket);
    backend.close_socket(socket);
    return;
  }
  ++sessions_opened;
  guard.rules().connections.fetch_add(1, std::memory_order_relaxed);
  const bool is_limited = config.limits.enabled == config::Switch::on && !is_proxy && !place.client().is_exempt();
  if (is_limited) look_at_share(place, peer);
  Session& session =
      *sessions.emplace_back(std::make_unique<Session>(*this, listener, std::move(place), sessions.size()));
  if (is_limited && listener.tls) make_room_for_handshake(session);
  if (stopping) session.drain(draw_moment());
  session.start(socket, peer);
}

// The limits that act at accept. A trusted proxy's connections are its clients': they are limited when those are known.
bool Service::admit(quota::Connection& place, const AddressBytes& peer, bool is_proxy) {
  if (!is_proxy && !guard.lets_in(peer)) {
    ++guard.counters.connections_denied;
    return false;
  }
  const std::uint64_t now_ns = resources.ring.now_ns();
  const quota::Decision decision =
      guard.admission.open(place, guard.admission.client(peer, now_ns), now_ns,
                           is_proxy ? quota::Admission::Peer::trusted_proxy : quota::Admission::Peer::client);
  if (!decision.given) {
    notify(Notice::limit_reached, "a connection of " + to_text(peer) +
                                      " is closed at accept: " + std::string(quota::to_text(decision.reason)));
  }
  return decision.given;
}

// Were the new one closed, a thousand silent connections would keep all others out.
void Service::make_room_for_handshake(Session& session) {
  if (config.limits.handshakes_max != 0 && handshakes.size() >= config.limits.handshakes_max) {
    ++guard.counters.handshakes_refused;
    notify(Notice::limit_reached, "a shard has limits.handshakes_max TLS handshakes under way: the oldest are closed");
    handshakes.front()->refuse_handshake();
  }
  session.join_handshakes();
}

// One address that holds nearly all is as a rule not one client. Told once in a while, by one shard for all.
void Service::look_at_share(const quota::Connection& place, const AddressBytes& peer) {
  Rules& rules = guard.rules();
  const std::size_t held = place.client().connections();
  if (held < one_address_connections_min || held * 10 < (rules.connections.load(std::memory_order_relaxed) + 1) * 9) {
    return;
  }
  const std::uint64_t now_ns = resources.ring.now_ns();
  std::uint64_t told_ns = rules.one_address_ns.load(std::memory_order_relaxed);
  if (told_ns != 0 && now_ns < told_ns + one_address_interval_ns) return;
  if (!rules.one_address_ns.compare_exchange_strong(told_ns, now_ns, std::memory_order_relaxed)) return;
  notify(Notice::one_address,
         "nearly all connections come from " + to_text(peer) + " (" + std::to_string(held) +
             "): if it is a load balancer, let it say who its clients are (listener.proxy_protocol, or "
             "listener.trusted_proxies for X-Forwarded-For); if it is a NAT, raise limits.address_*");
}

void Service::remove(Session& session) {
  RINGWALL_CHECK(sessions[session.index].get() == &session);
  ++ended[static_cast<std::size_t>(session.end_reason())];
  reports.ended(session.account());
  --counters.in_state[static_cast<std::size_t>(session.state())];
  guard.rules().connections.fetch_sub(1, std::memory_order_relaxed);
  std::swap(sessions[session.index], sessions.back());
  sessions[session.index]->index = session.index;
  sessions.pop_back();
}

void Service::drain(std::uint64_t spread_ns, std::uint64_t fresh_ns) {
  stopping = true;
  unknown_names_timer_.stop();
  leave_by_ns_ = resources.ring.now_ns() + spread_ns;
  fresh_until_ns_ = leave_by_ns_ + fresh_ns;
  for (const std::unique_ptr<Session>& session : sessions) session->drain(draw_moment());
  for (const std::unique_ptr<NodeService>& node : nodes) node->pool.stop(false);
}

// Any is as likely as any other, so that clients do not come back in one wave.
std::uint64_t Service::draw_moment() {
  const std::uint64_t now_ns = resources.ring.now_ns();
  if (now_ns >= leave_by_ns_) return now_ns;
  std::array<std::byte, sizeof(std::uint64_t)> random;
  resources.ring.backend().fill_random(random);
  return now_ns + std::bit_cast<std::uint64_t>(random) % (leave_by_ns_ - now_ns + 1);
}

void Service::stop(bool now) {
  stopping = true;
  has_cut = has_cut || now;
  unknown_names_timer_.stop();
  reports.stop();
  for (const std::unique_ptr<Session>& session : sessions) session->stop(now);
  for (const std::unique_ptr<NodeService>& node : nodes) node->pool.stop(now);
}

std::size_t Service::end_banned(const AddressSet& banned, std::size_t end, std::size_t count) {
  end = std::min(end, sessions.size());
  const std::size_t begin = end > count ? end - count : 0;
  while (end > begin) sessions[--end]->end_if_in(banned);
  return begin;
}

void Service::tell_unknown_names() {
  if (unknown_names_timer_.is_running()) return;
  const std::string names = guard.new_unknown_names();
  if (names.empty()) return;
  if (reports.may_notice(Notice::method_unknown)) {
    notify(Notice::method_unknown,
           "clients asked for what is not offered here: " + names + "; to allow it, add it to methods.allow");
    return guard.forget_new_unknown_names();
  }
  if (!stopping) resources.ring.timers().start(unknown_names_timer_, resources.ring.now_ns() + unknown_names_again_ns);
}

std::shared_ptr<const std::string> Service::methods_text(const NodeService& node) const {
  if (offers_ == nullptr) return std::make_shared<const std::string>(guard.methods().methods_result({}));
  return offers_->result_text(node.index);
}

std::string_view Service::date() {
  if (const std::uint64_t now_ns = resources.ring.now_ns(); now_ns >= date_until_ns_) {
    date_ = http::date_text(resources.ring.backend().unix_now_s());
    date_until_ns_ = now_ns + 500'000'000;
  }
  return {date_.data(), date_.size()};
}

}  // namespace ringwall::session
