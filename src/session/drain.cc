// How a session goes when Ringwall is ending: at a moment of its own, after the answers to what it has asked for.
//
// Live subscriptions hold nobody: their notifications never end. From its moment on nothing more of a WebSocket client
// goes to the node, so that the calls in flight come to an end; what it says then is answered by the Close.
#include <ringwall/session/session.h>

namespace ringwall::session {

void Session::drain(std::uint64_t at_ns) {
  if (leaving_ || state_ == State::closing || state_ == State::ending) return;
  leaving_ = std::make_unique<Leaving>(*this);
  service_.resources.ring.timers().start(leaving_->timer, at_ns);
}

void Session::stop(bool now) {
  if (now) return state_ == State::ending ? client_.abort() : abort(EndReason::stopping);
  end_stopping();
}

void Session::end_stopping() {
  const websocket::CloseCode code = service_.config.server.drain_code == config::DrainCode::service_restart
                                        ? websocket::CloseCode::service_restart
                                        : websocket::CloseCode::going_away;
  end_in_order(EndReason::stopping, code, "the proxy is stopping");
}

// It has connected, and is about to ask for something: to be closed now would be a connection refused.
bool Session::is_fresh() const {
  return state_ == State::proxy_header || state_ == State::handshake || (state_ == State::head && !served_one_);
}

void Session::on_leaving_timer() {
  ring::Ring& ring = service_.resources.ring;
  if (is_fresh() && ring.now_ns() < service_.fresh_until_ns()) {
    return ring.timers().start(leaving_->timer, service_.fresh_until_ns());
  }
  leaving_->is_due = true;
  if (state_ == State::relay) return leave_if_answered();
  end_stopping();
}

// Asked after all that may have been the last thing to wait for.
void Session::leave_if_answered() {
  if (!is_leaving()) return;
  if (state_ == State::relay && (relay_->calls.calls() > 0 || relay_->kept_since_ns != 0 || !relay_->owed.empty())) {
    return;
  }
  end_stopping();
}

}  // namespace ringwall::session
