// The end of a WebSocket: each side is told by a Close where the protocol allows one, and by a reset where it does not.
#include <ringwall/session/session.h>

#include <utility>

namespace ringwall::session {

namespace {

constexpr std::uint64_t closing_ms = 5'000;  // for the node to end the frame that it has begun

}  // namespace

// Where something is under way it comes first.
void Session::end_in_order(EndReason reason, websocket::CloseCode code, std::string_view text) {
  switch (state_) {
    case State::proxy_header:
    case State::handshake:
    case State::tunnel:
      return finish(reason);
    case State::head:
      if (input_.empty()) finish(reason);
      return;
    case State::relay:
      return close_both(reason, code, text, websocket::CloseCode::going_away, text);
    default:
      if (request_) request_->client_keeps_alive = false;
  }
}

// Both sides can still be spoken to. The node hears it now, since only whole frames are ever sent to it; the client
// when the frame that the node has begun is whole.
void Session::close_both(EndReason reason, websocket::CloseCode to_client, std::string_view client_text,
                         websocket::CloseCode to_node, std::string_view node_text) {
  if (state_ == State::closing) {
    // The node's own Close, or our stopping, on top of a Close that waits: the first one counts.
    if (reason == EndReason::node_closed) relay_lost_node(end_reason_, to_client, client_text);
    return;
  }
  note_end(reason);
  send_to_node(websocket::ControlFrame::close(to_node, node_text, make_mask()));
  relay_->close_due = std::make_unique<websocket::ControlFrame>(websocket::ControlFrame::close(to_client, client_text));
  set_state(State::closing);
  set_timer(closing_ms);
  close_when_possible();
}

void Session::close_when_possible() {
  if (!relay_->frames.at_frame_boundary()) return;
  client_.send_copy(relay_->close_due->bytes());
  finish(end_reason_);
}

// Nothing more will come from the node.
void Session::relay_lost_node(EndReason reason, websocket::CloseCode to_client, std::string_view text) {
  if (!relay_->frames.at_frame_boundary()) return cut(reason);
  const auto close = std::move(relay_->close_due);
  client_.send_copy(close ? close->bytes() : websocket::ControlFrame::close(to_client, text).bytes());
  finish(reason);
}

// Nothing more will come from the client, and nothing can be said to it: but for the alert of a transport that failed,
// which is on its way and would be lost in a reset.
void Session::relay_lost_client(EndReason reason) {
  send_to_node(websocket::ControlFrame::close(websocket::CloseCode::going_away, "the client has gone", make_mask()));
  if (reason == EndReason::tls_failed) return finish(reason);
  abort(reason);
}

}  // namespace ringwall::session
