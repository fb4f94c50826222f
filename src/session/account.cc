// What a session tells about itself, and what is counted of it.
#include <ringwall/connection/tls_transport.h>
#include <ringwall/session/session.h>

namespace ringwall::session {

bool Session::is_of(const config::Cidr& range) const { return range.contains(address_); }

Figures Session::figures() const {
  return {.client = address_,
          .tally = tally_,
          .received_bytes = client_.bytes_received(),
          .sent_bytes = client_.bytes_sent()};
}

Account Session::account() const {
  Account account{.figures = figures(),
                  .age_ns = service_.resources.ring.now_ns() - tally_.opened_ns,
                  .listener = listener_.name,
                  .reason = end_reason_,
                  .state = end_reason_ == EndReason::none ? state_ : end_state_};
  if (node_index_ != no_node) account.upstream = service_.nodes[node_index_]->target.name();
  if (relay_) {
    account.calls_in_flight = relay_->calls.calls();
    account.subscriptions_open = relay_->calls.subscriptions();
  }
  if (const connection::TlsTransport* tls = client_.transport(); tls != nullptr) {
    if (tls->is_established()) {
      account.tls = {.version = tls->version(), .cipher = tls->cipher(), .resumed = tls->resumed()};
    }
    account.tls_failure = tls->failure();
  }
  return account;
}

void Session::count_handshake_done() {
  const connection::TlsTransport* transport = client_.transport();
  if (transport == nullptr) return;
  const auto version = static_cast<std::size_t>(transport->version());
  const auto cipher = static_cast<std::size_t>(transport->cipher());
  ++service_.counters.handshakes.done[version][cipher][transport->resumed() ? 1 : 0];
}

void Session::count_handshake_failed() {
  ++service_.counters.handshakes.failed[static_cast<std::size_t>(client_.transport()->failure().reason)];
}

// For anything but a failure of TLS, which was counted when it was met.
void Session::count_handshake_left(EndReason reason) {
  if (!listener_.tls || reason == EndReason::tls_failed) return;
  ++service_.counters.handshakes.left[static_cast<std::size_t>(reason)];
}

void Session::count_forwarded(const Ruling& ruling) { tally_.units += ruling.request.units; }

// A trusted proxy is spoken for by those who are behind it.
void Session::end_if_in(const AddressSet& banned) {
  if (!banned.contains(payer_)) return;
  if (payer_ == peer_ && is_in(peer_, listener_.config.trusted_proxies)) return;
  if (state_ == State::relay) {
    return close_both(EndReason::banned, websocket::CloseCode::policy_violation, "this address is banned for a time",
                      websocket::CloseCode::going_away, {});
  }
  abort(EndReason::banned);
}

}  // namespace ringwall::session
