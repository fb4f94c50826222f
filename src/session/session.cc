// A session's life: its callbacks, what each state makes of them, and the one way out.
#include <ringwall/session/session.h>

#include <ringwall/connection/tls_transport.h>
#include <ringwall/http/proxy_protocol.h>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

namespace ringwall::session {

Session::Session(Service& service, const ListenerService& listener, quota::Connection&& place, std::size_t index_in)
    : index(index_in),
      service_(service),
      listener_(listener),
      client_(service.resources, *this),
      quota_(std::move(place)),
      state_(listener.config.proxy_protocol == config::ProxyProtocol::required ? State::proxy_header
                                                                               : State::handshake) {
  ++service_.counters.in_state[static_cast<std::size_t>(state_)];
}

Session::~Session() {
  RINGWALL_CHECK(state_ == State::ending && end_reason_ != EndReason::none);
  RINGWALL_CHECK(!node_ && place_ == nullptr);
}

void Session::start(int socket, const AddressBytes& peer) {
  tally_.opened_ns = service_.resources.ring.now_ns();
  peer_ = payer_ = peer;
  set_address(peer);
  set_timer(service_.config.timeouts.handshake_ms);
  client_.adopt(socket, nullptr);
  if (state_ != State::proxy_header) return client_known({});
  const std::vector<config::Cidr>& trusted = listener_.config.trusted_proxies;
  if (!trusted.empty() && !is_in(peer_, trusted)) refuse_proxy_header("it is not among trusted_proxies");
}

void Session::read_proxy_header(std::string_view bytes) {
  input_.append(bytes);
  std::optional<http::ProxySource> source;
  const auto header_bytes = http::parse_proxy_header(input_, source);
  if (!header_bytes) return refuse_proxy_header(header_bytes.error());
  if (*header_bytes == 0) return;
  const std::string input = std::exchange(input_, {});
  peer_is_known_ = source.has_value();
  if (source) {
    peer_ = source->address;
    set_address(peer_);
  }
  if (!take_named_place()) return;
  set_state(State::handshake);
  client_known(std::string_view(input).substr(*header_bytes));
}

void Session::refuse_proxy_header(std::string_view why) {
  service_.notify(Notice::proxy_header, "listener " + config::to_text(listener_.config.address) + " closed " +
                                            address_text_ + ": " + std::string(why) + " (listener.proxy_protocol)");
  abort(EndReason::proxy_header);
}

// What acts at accept where no balancer stands in front.
bool Session::take_named_place() {
  Guard& guard = service_.guard;
  if (!guard.lets_in(address_)) {
    ++guard.counters.connections_denied;
    abort(EndReason::client_refused);
    return false;
  }
  if (address_ == payer_) return true;
  const std::uint64_t now_ns = service_.resources.ring.now_ns();
  const quota::Decision decision = guard.admission.pass_on(quota_, guard.admission.client(address_, now_ns), now_ns);
  if (!decision.given) {
    ++guard.counters.proxied_refused;
    abort(EndReason::over_limit);
    return false;
  }
  payer_ = address_;
  return true;
}

void Session::client_known(std::string_view first_bytes) {
  if (listener_.tls) {
    return client_.begin_transport(std::make_unique<connection::TlsTransport>(listener_.tls, service_.resources),
                                   std::as_bytes(std::span(first_bytes)));
  }
  enter_head();
  if (!first_bytes.empty()) take_input(first_bytes);
}

void Session::set_address(const AddressBytes& address) {
  address_ = address;
  address_text_ = to_text(address);
  share_ = share_key(address);
  client_.set_share(share_);
}

void Session::set_state(State next) {
  RINGWALL_CHECK(may_follow(state_, next));
  if (state_ == State::handshake && is_handshake_counted_) {
    service_.handshakes.erase(handshake_);
    is_handshake_counted_ = false;
  }
  --service_.counters.in_state[static_cast<std::size_t>(state_)];
  ++service_.counters.in_state[static_cast<std::size_t>(next)];
  state_ = next;
}

void Session::join_handshakes() {
  handshake_ = service_.handshakes.insert(service_.handshakes.end(), this);
  is_handshake_counted_ = true;
}

void Session::refuse_handshake() { abort(EndReason::over_limit); }

void Session::set_timer(std::uint64_t timeout_ms) {
  ring::Ring& ring = service_.resources.ring;
  ring.timers().start(timer_, ring.now_ns() + timeout_ms * 1'000'000);
}

std::uint64_t Session::upload_due_ns(std::uint64_t since_ns, std::uint64_t timeout_ms, std::size_t bytes_come) {
  return since_ns + timeout_ms * 1'000'000 + bytes_come * 1'000'000'000 / http::upload_bytes_per_s_min;
}

// The end ----------------------------------------------------------------------------------------------------------

void Session::note_end(EndReason reason) {
  if (end_reason_ != EndReason::none) return;
  end_reason_ = reason;
  end_state_ = state_;
}

void Session::finish(EndReason reason) {
  if (leave(reason)) client_.finish();
}

void Session::cut(EndReason reason) {
  if (leave(reason)) client_.cut();
}

void Session::abort(EndReason reason) {
  if (leave(reason)) client_.abort();
}

bool Session::leave(EndReason reason) {
  if (state_ == State::ending) return false;
  note_end(reason);
  if (state_ == State::handshake) count_handshake_left(reason);
  set_state(State::ending);
  timer_.stop();
  leaving_.reset();
  release_node();
  // The memory and the places of what was under way are not kept while the client takes its time to go.
  forget_owed();
  relay_.reset();
  request_.reset();
  // Its place stays taken until its socket is closed, for which a slow reader takes its time.
  service_.guard.admission.give_back_calls(quota_);
  return true;
}

void Session::release_node() {
  if (std::exchange(waits_for_memory_, false)) service_.assembly.stop_waiting(*this);
  if (node_) (request_ ? *request_->node : *place_).pool.retire(std::move(node_));
  if (place_ != nullptr) std::exchange(place_, nullptr)->target.give_back_place();
}

void Session::on_closed(connection::Connection& connection) {
  if (&connection == node_.get()) {
    // Only a connection that failed comes here: the others end in the pool.
    node_.reset();
    RINGWALL_CHECK(state_ == State::connecting);
    return connect();
  }
  RINGWALL_CHECK(state_ == State::ending);
  input_.clear();
  (void)charge_input();
  service_.remove(*this);
}

void Session::on_spent(connection::Connection&, connection::Spent what) {
  // The rest of a request will never be read.
  const bool is_reading = state_ == State::head || state_ == State::body;
  if (is_reading && what == connection::Spent::receiving) return finish(EndReason::keys_spent);
  end_in_order(EndReason::keys_spent, websocket::CloseCode::service_restart,
               "the TLS keys of this connection can't be renewed here: connect again");
}

// Callbacks --------------------------------------------------------------------------------------------------------

void Session::on_connected(connection::Connection&) {
  RINGWALL_CHECK(state_ == State::connecting);
  send_request();
}

void Session::on_established(connection::Connection&) {
  RINGWALL_CHECK(state_ == State::handshake);
  count_handshake_done();
  enter_head();
}

void Session::on_received(connection::Connection& connection, ring::Slice bytes) {
  if (&connection == &client_) {
    switch (state_) {
      case State::proxy_header:
        return read_proxy_header({reinterpret_cast<const char*>(bytes.bytes().data()), bytes.size()});
      case State::relay:
        return relay_client(bytes);
      case State::tunnel:
        tunnel_heard_ns_ = service_.resources.ring.now_ns();
        return node_->send(std::move(bytes));
      case State::closing:
      case State::ending:
        return;
      default:
        return take_input({reinterpret_cast<const char*>(bytes.bytes().data()), bytes.size()});
    }
  }
  switch (state_) {
    case State::awaiting:
      return read_node_head(std::move(bytes));
    case State::responding:
      return relay_answer(std::move(bytes));
    case State::relay:
    case State::closing:
      return relay_node(bytes);
    case State::tunnel:
      tunnel_heard_ns_ = service_.resources.ring.now_ns();
      return client_.send(std::move(bytes));
    default:
      return;
  }
}

void Session::on_ended(connection::Connection& connection, connection::End) {
  if (&connection == &client_) return client_ended();
  node_ended();
}

void Session::on_failed(connection::Connection& connection, connection::Failure failure) {
  if (&connection == &client_) return client_failed(failure);
  node_failed(failure);
}

void Session::on_lost(connection::Connection& connection) {
  if (&connection == &client_ && state_ != State::ending) client_failed(connection::Failure::reset);
}

void Session::client_ended() {
  switch (state_) {
    case State::head:
      if (client_.is_congested()) return;  // it still takes answers, and may have asked for more
      return input_.empty() && served_one_ ? finish(EndReason::client_closed) : finish(EndReason::client_gone);
    case State::body:
      if (waits_for_memory_) return;
      return finish(EndReason::client_gone);
    case State::connecting:
    case State::awaiting:
    case State::responding:
      // A half-close after whole requests is a client that waits for its answers: take_input() ends it after the last.
      if (request_->upgrade) return finish(EndReason::client_gone);
      return;
    case State::relay:
      return relay_lost_client(EndReason::client_gone);
    case State::tunnel:
      return finish(EndReason::client_closed);
    case State::closing:
    case State::ending:
      return;
    default:
      return finish(EndReason::client_gone);
  }
}

void Session::client_failed(connection::Failure failure) {
  using connection::Failure;
  if (state_ == State::ending) return;
  if (failure == Failure::transport) {
    if (state_ == State::handshake) count_handshake_failed();
    if (client_.transport()->is_plain_http()) {
      const http::Refusal refusal{400, "this port speaks TLS: use https:// or wss:// instead of http:// or ws://"};
      const auto bytes = http::refusal_response(service_.head_text, refusal, service_.date());
      if (bytes) client_.finish_without_transport({service_.head_text.data(), *bytes});
    }
    if (state_ == State::relay) return relay_lost_client(EndReason::tls_failed);
    return finish(EndReason::tls_failed);
  }
  if (failure == Failure::backlog_full) {
    service_.notify(
        Notice::backlog_spent,
        "slow reader " + address_text_ + " is dropped: too much waits for it and others (server.backlog_bytes_max)");
  }
  const EndReason reason = failure == Failure::reset          ? EndReason::client_reset
                           : failure == Failure::send_time    ? EndReason::client_slow
                           : failure == Failure::backlog_full ? EndReason::memory_bound
                                                              : EndReason::client_gone;
  if (state_ == State::relay) return relay_lost_client(reason);
  abort(reason);
}

void Session::on_congested(connection::Connection& connection) {
  if (&connection != &client_) return update_client_receiving();
  if (node_) node_->pause_receiving();
}

void Session::on_drained(connection::Connection& connection) {
  if (&connection != &client_) return update_client_receiving();
  if (node_) node_->resume_receiving();
  if (state_ == State::relay) {
    send_due_frames();
    return leave_if_answered();
  }
  if (state_ == State::head) take_input({});
}

void Session::update_client_receiving() {
  const bool pause = is_behind() || (node_ && node_->is_congested()) || input_.size() > http::head_bytes_max;
  if (pause == client_.is_paused()) return;
  if (pause) {
    client_.pause_receiving();
  } else {
    client_.resume_receiving();
  }
}

void Session::on_memory() {
  waits_for_memory_ = false;
  if (state_ == State::body) take_input({});
  resume_client();
  update_client_receiving();
}

void Session::on_tunnel_timer() {
  const std::uint64_t due_ns = tunnel_heard_ns_ + std::uint64_t{service_.config.timeouts.tunnel_idle_ms} * 1'000'000;
  // A side that is busy taking what waits for it is timed by its connection.
  if (client_.is_congested() || node_->is_congested()) return set_timer(service_.config.timeouts.tunnel_idle_ms);
  if (service_.resources.ring.now_ns() >= due_ns) return finish(EndReason::client_silent);
  service_.resources.ring.timers().start(timer_, due_ns);
}

void Session::on_timer() {
  switch (state_) {
    case State::proxy_header:
    case State::handshake:
      return abort(EndReason::client_slow);
    case State::head:
      // A client that is still taking its last answer is timed by its connection.
      if (client_.is_congested()) return set_timer(service_.config.timeouts.head_ms);
      if (input_.empty()) return finish(served_one_ ? EndReason::done : EndReason::client_silent);
      return refuse({408, "the request's head was not complete in time"}, EndReason::client_slow);
    case State::body:
      if (const std::uint64_t due_ns =
              upload_due_ns(request_->body_since_ns, service_.config.timeouts.body_ms, request_->body.text().size());
          service_.resources.ring.now_ns() < due_ns) {
        return service_.resources.ring.timers().start(timer_, due_ns);
      }
      if (waits_for_memory_) return refuse({413, "no memory for this body: try again later"}, EndReason::memory_bound);
      return refuse({408, "the request's body was not complete in time"}, EndReason::client_slow);
    case State::awaiting:
      // A node that is still taking the request is timed by its connection, and so is a client that takes an answer.
      if (node_->is_congested() || node_->is_paused()) return set_timer(service_.config.timeouts.response_ms);
      service_.node_failed(*request_->node);
      return refuse({504, "the node did not answer in time"}, EndReason::node_slow);
    case State::responding:
      // So is a client that is still taking the answer.
      if (node_->is_paused()) return set_timer(service_.config.timeouts.response_ms);
      return cut_answer(EndReason::node_slow);
    case State::relay:
      return on_relay_timer();
    case State::tunnel:
      return on_tunnel_timer();
    case State::closing:
      return abort(end_reason_);
    default:
      RINGWALL_CHECK(!"a timer ran in a state that has none");
  }
}

}  // namespace ringwall::session
