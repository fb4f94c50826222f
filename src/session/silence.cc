// A node that hangs: what its sessions make of a look at it that was silence.
//
// Its sockets stay open and say nothing, as those of an idle node do. So a relay that has heard nothing since then asks
// it with a ping of its own, and gives it up when at the end of a later such look no answer has come to that and the
// node is judged to be failing. One that hears anything goes on. A request cannot ask, but has waited for all of the
// look.
#include <ringwall/session/session.h>

#include <algorithm>

namespace ringwall::session {

namespace {

constexpr std::size_t sessions_a_turn = 64;

}  // namespace

void Service::note_silence(const upstream::Silence& silence) {
  RINGWALL_CHECK(silence.node < nodes.size());
  nodes[silence.node]->silence = silence;
  silence_end_ = sessions.size();
  tell_of_silence();
}

// In small pieces, from the highest index to the lowest: what moves meanwhile moves to where was not looked yet.
void Service::tell_of_silence() {
  silence_end_ = std::min(silence_end_, sessions.size());
  const std::size_t begin = silence_end_ > sessions_a_turn ? silence_end_ - sessions_a_turn : 0;
  while (silence_end_ > begin) {
    --silence_end_;
    if (silence_end_ < sessions.size()) sessions[silence_end_]->look_at_silence();
  }
  if (silence_end_ > 0) return resources.ring.timers().start(silence_timer_, resources.ring.now_ns());
  for (const std::unique_ptr<NodeService>& node : nodes) node->silence.reset();
}

void Session::look_at_silence() {
  const NodeService* const node = request_ ? request_->node : place_;
  // What does not come because nobody reads it is no silence of the node's; nor what waits behind all that it is sent.
  if (node == nullptr || !node->silence || !node_ || node_->is_paused() || node_->is_congested()) return;
  const upstream::Silence& silence = *node->silence;
  if (state_ == State::relay) return relay_silence(silence);
  if (!silence.is_failing || (state_ != State::awaiting && state_ != State::responding)) return;
  if (request_->heard_ns >= silence.since_ns) return;
  if (state_ == State::responding) return cut_answer(EndReason::node_slow);
  // Nothing comes of an upgrade but its answer.
  if (request_->upgrade && !request_->node_said_something && send_to_next_node()) return;
  refuse({504, "the node does not answer"}, EndReason::node_slow);
}

void Session::relay_silence(const upstream::Silence& silence) {
  const Liveness& node = relay_->node;
  const bool is_asked = node.pinged_ns > node.heard_ns;
  if (!is_asked && node.heard_ns < silence.since_ns) return ping_node();
  if (!is_asked || !silence.is_failing || node.pinged_ns >= silence.since_ns) return;
  relay_lost_node(EndReason::node_slow, websocket::CloseCode::service_restart, "the node does not answer");
}

}  // namespace ringwall::session
