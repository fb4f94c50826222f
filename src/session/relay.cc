// What happens when a frame arrives.
//
// From the client: a message is had whole, and goes to the node from the buffer it arrived in; one that came in pieces
// goes from where it was assembled. From the node: bytes go on as they come. Pings are answered on each side, and
// frames of ours go to a client only between two frames of the node.
#include <ringwall/connection/owned_slice.h>
#include <ringwall/session/session.h>

#include <algorithm>
#include <utility>

namespace ringwall::session {

namespace {

using websocket::ClientMessages;
using websocket::CloseCode;
using websocket::ControlFrame;
using websocket::NodeFrames;

constexpr std::uint64_t ns_per_ms = 1'000'000;

// A message that was assembled, on its way to the node with the memory it is charged for.
struct ForwardedFrame {
  websocket::OwnedFrame frame;
  AssemblyCharge charge;
};

}  // namespace

void Session::begin_relay() {
  set_state(State::relay);
  relay_ = std::make_unique<Relay>(static_cast<std::uint32_t>(service_.config.limits.message_bytes_max),
                                   service_.assembly, share_, service_.seed(), service_.resources.ring.now_ns());
  set_relay_timer();
}

// From the client --------------------------------------------------------------------------------------------------

void Session::relay_client(const ring::Slice& bytes) {
  relay_->client.heard_ns = service_.resources.ring.now_ns();
  if (is_behind()) return hold(bytes.share(bytes.bytes()));
  std::span<const std::byte> in = bytes.bytes();
  if (relay_->kept_since_ns != 0 || relay_->pings) {
    serve_pings(in);
    if (state_ != State::relay) return;
  }
  if (is_holding()) return hold_rest(bytes, in);
  std::span<const std::byte> run;  // whole frames in the buffer, one after another, to be sent as one piece
  const auto send_run = [&] {
    if (!run.empty()) node_->send(bytes.share(run));
    run = {};
  };
  while (state_ == State::relay) {
    const ClientMessages::Event event = relay_->messages.next(in, service_.unmasked);
    switch (event.kind) {
      case ClientMessages::Event::Kind::need_more:
        send_run();
        return note_message_progress();
      case ClientMessages::Event::Kind::message:
        ++service_.counters.from_clients.data;
        relay_->message_since_ns = 0;  // each has its own time, though it may end where the next one begins
        switch (is_leaving() ? Fate::drop : judge_message(event)) {
          case Fate::forward:
            if (event.frame.empty()) {
              send_run();
              forward_assembled();
            } else if (run.data() + run.size() == event.frame.data()) {
              run = {run.data(), run.size() + event.frame.size()};
            } else {
              send_run();
              run = event.frame;
            }
            break;
          case Fate::drop:
            if (event.frame.empty()) drop_assembled();
            break;
          case Fate::keep_back:
            send_run();
            serve_pings(in);
            break;
          case Fate::close:
            send_run();
            return close_refused();
        }
        if (state_ != State::relay || !is_holding()) break;
        send_run();
        set_relay_timer();
        return hold_rest(bytes, in);
      case ClientMessages::Event::Kind::need_memory:
        send_run();
        if (grow_assembly(event.bytes_wanted, in.size())) break;
        if (state_ == State::relay && !in.empty()) hold(bytes.share(in));
        return note_message_progress();
      case ClientMessages::Event::Kind::close:
      case ClientMessages::Event::Kind::violation:
        send_run();
        return take_control(event);
      case ClientMessages::Event::Kind::ping:
      case ClientMessages::Event::Kind::pong:
        take_control(event);
        break;
    }
  }
}

// Behind a message that is kept back pings are answered; from the first other frame on the client waits in line.
void Session::serve_pings(std::span<const std::byte>& in) {
  std::unique_ptr<ClientMessages>& pings = relay_->pings;
  while (state_ == State::relay && !in.empty()) {
    if (!pings || !pings->inside_message()) {
      const auto opcode = static_cast<websocket::Opcode>(in.front() & std::byte{0x0F});
      if (relay_->kept_since_ns == 0 || (opcode != websocket::Opcode::ping && opcode != websocket::Opcode::pong)) break;
      if (!pings) pings = std::make_unique<ClientMessages>(websocket::control_payload_bytes_max);
    }
    take_control(pings->next(in, service_.unmasked));
  }
  if (pings && !pings->inside_message()) pings.reset();
}

void Session::take_control(const ClientMessages::Event& event) {
  MessageCounters& counters = service_.counters.from_clients;
  counters.pings += event.kind == ClientMessages::Event::Kind::ping ? 1 : 0;
  counters.pongs += event.kind == ClientMessages::Event::Kind::pong ? 1 : 0;
  counters.closes += event.kind == ClientMessages::Event::Kind::close ? 1 : 0;
  if (event.kind == ClientMessages::Event::Kind::ping) {
    relay_->pong_due = std::make_unique<ControlFrame>(ControlFrame::pong(event.payload));
    send_due_frames();
  } else if (event.kind == ClientMessages::Event::Kind::close) {
    close_both(EndReason::client_closed, event.code, event.text, event.code, event.text);
  } else if (event.kind == ClientMessages::Event::Kind::violation) {
    close_both(EndReason::client_refused, event.code, event.text, CloseCode::going_away, {});
  }
}

void Session::forward_assembled() {
  websocket::OwnedFrame frame = relay_->messages.take_frame();
  const std::span<std::byte> bytes = frame.bytes();
  node_->send(connection::make_owned_slice(ForwardedFrame{std::move(frame), std::move(relay_->charge)}, bytes));
}

// False: the session waits for memory, or has ended for want of it.
bool Session::grow_assembly(std::size_t bytes, std::size_t bytes_here) {
  AssemblyBudget::Answer answer = relay_->charge.grow(bytes);
  if (answer == AssemblyBudget::Answer::wait && bytes > bytes_here + websocket::frame_header_bytes_max) {
    // Twice the size is a comfort; what is here is what is needed.
    bytes = bytes_here + websocket::frame_header_bytes_max;
    answer = relay_->charge.grow(bytes);
  }
  switch (answer) {
    case AssemblyBudget::Answer::given:
      if (relay_->messages.grow(bytes)) return true;
      break;
    case AssemblyBudget::Answer::wait:
      if (!std::exchange(waits_for_memory_, true)) service_.assembly.wait(*this);
      update_client_receiving();
      return false;
    case AssemblyBudget::Answer::never:
      break;
  }
  close_both(EndReason::memory_bound, CloseCode::message_too_big, "the message is larger than one client may send",
             CloseCode::going_away, {});
  return false;
}

// Keeps the client's bytes until there is memory for the message that they belong to.
void Session::hold(ring::Slice bytes) {
  if (bytes.block()->lifetime() != ring::Lifetime::turn) return relay_->held.push_back(std::move(bytes));
  std::optional<ring::Slice> copy = connection::copy_to_backlog({&bytes, 1}, service_.resources.backlog, share_);
  if (!copy) {
    return close_both(EndReason::memory_bound, CloseCode::try_again_later, "out of memory", CloseCode::going_away, {});
  }
  relay_->held.push_back(std::move(*copy));
}

// Of a piece that was read in part.
void Session::hold_rest(const ring::Slice& bytes, std::span<const std::byte> rest) {
  if (!rest.empty()) hold(bytes.share(rest));
  update_client_receiving();
}

void Session::relay_held() {
  std::vector<ring::Slice> held = std::exchange(relay_->held, {});
  if (held.empty()) held.emplace_back();  // the end of a message may want no more bytes, but memory
  for (const ring::Slice& bytes : held) {
    if (state_ != State::relay) return;
    relay_client(bytes);
  }
}

void Session::note_message_progress() {
  if (state_ != State::relay) return;  // for want of memory it has just ended
  if (!relay_->messages.inside_message()) {
    relay_->message_since_ns = 0;
    if (relay_->charge.bytes() > 0) relay_->charge.release();
  } else if (relay_->message_since_ns == 0) {
    relay_->message_since_ns = service_.resources.ring.now_ns();
    set_relay_timer();
  }
}

// From the node ----------------------------------------------------------------------------------------------------

void Session::relay_node(const ring::Slice& bytes) {
  relay_->node.heard_ns = service_.resources.ring.now_ns();
  std::span<const std::byte> in = bytes.bytes();
  while (state_ == State::relay || state_ == State::closing) {
    const NodeFrames::Event event = relay_->frames.next(in, relay_->owes_frame(), this);
    switch (event.kind) {
      case NodeFrames::Event::Kind::need_more:
        node_->expect(relay_->frames.bytes_to_come());
        return;
      case NodeFrames::Event::Kind::relay:
        if (event.kept) {
          client_.send_copy(event.bytes);
        } else {
          client_.send(bytes.share(event.bytes));
        }
        send_due_frames();
        if (state_ == State::closing) {
          close_when_possible();
        } else {
          leave_if_answered();
        }
        break;
      case NodeFrames::Event::Kind::ping:
        ++service_.counters.from_nodes.pings;
        send_to_node(ControlFrame::pong(event.bytes, make_mask()));
        break;
      case NodeFrames::Event::Kind::pong:
        ++service_.counters.from_nodes.pongs;
        break;
      case NodeFrames::Event::Kind::close:
        ++service_.counters.from_nodes.closes;
        return close_both(EndReason::node_closed, event.code, event.text, event.code, {});
      case NodeFrames::Event::Kind::violation:
        service_.notify(Notice::node_garbage,
                        "upstream " + place_->target.name() + ": a frame breaks RFC 6455: " + std::string(event.text));
        send_to_node(ControlFrame::close(event.code, event.text, make_mask()));
        return relay_lost_node(EndReason::node_garbage, CloseCode::bad_gateway, "the node broke the protocol");
    }
  }
}

void Session::send_to_node(const ControlFrame& frame) { node_->send_copy(frame.bytes()); }

websocket::MaskKey Session::make_mask() {
  websocket::MaskKey key;
  service_.resources.ring.backend().fill_random(key);
  return key;
}

void Session::send_due_frames() {
  if (!relay_->frames.at_frame_boundary()) return;
  // To one that does not read, the last of its pings is answered when it does (RFC 6455 section 5.5.3).
  if (client_.is_congested()) return;
  if (relay_->pong_due) client_.send_copy(std::exchange(relay_->pong_due, nullptr)->bytes());
  if (std::exchange(relay_->ping_due, false)) client_.send_copy(ControlFrame::ping({}).bytes());
  send_owed();
}

// Time -------------------------------------------------------------------------------------------------------------

void Session::set_relay_timer() {
  const config::Timeouts& timeouts = service_.config.timeouts;
  std::uint64_t due_ns = UINT64_MAX;
  for (const Liveness* side : {&relay_->client, &relay_->node}) {
    due_ns = std::min(due_ns, std::max(side->heard_ns, side->pinged_ns) + timeouts.ping_interval_ms * ns_per_ms);
    due_ns = std::min(due_ns, side->heard_ns + timeouts.dead_after_ms * ns_per_ms);
  }
  if (relay_->message_since_ns != 0) due_ns = std::min(due_ns, message_due_ns());
  if (relay_->kept_since_ns != 0) due_ns = std::min(due_ns, relay_->kept_until_ns);
  service_.resources.ring.timers().start(timer_, due_ns);
}

std::uint64_t Session::message_due_ns() const {
  return upload_due_ns(relay_->message_since_ns, service_.config.timeouts.message_ms,
                       relay_->messages.assembled_bytes());
}

void Session::on_relay_timer() {
  const config::Timeouts& timeouts = service_.config.timeouts;
  const std::uint64_t now_ns = service_.resources.ring.now_ns();
  Relay& relay = *relay_;
  if (relay.kept_since_ns != 0 && now_ns >= relay.kept_until_ns) {
    retry_kept();
    leave_if_answered();
    if (state_ != State::relay) return;
  }
  // A client that is not read because the node does not read is not slow.
  if (relay.message_since_ns != 0 && node_->is_congested()) relay.message_since_ns = now_ns;
  if (relay.message_since_ns != 0 && now_ns >= message_due_ns()) {
    return waits_for_memory_ ? close_both(EndReason::memory_bound, CloseCode::message_too_big,
                                          "no memory for this message: try again later", CloseCode::going_away, {})
                             : close_both(EndReason::client_slow, CloseCode::policy_violation,
                                          "the message was not complete in time", CloseCode::going_away, {});
  }
  // A side that we do not listen to, or that is busy taking what we send, is not silent; its connection times it.
  // Nor is a client whose ping still waits for the end of the node's frame.
  if (client_.is_paused() || client_.is_congested() || relay.ping_due) relay.client.heard_ns = now_ns;
  if (node_->is_paused() || node_->is_congested()) relay.node.heard_ns = now_ns;
  if (now_ns >= relay.client.heard_ns + timeouts.dead_after_ms * ns_per_ms) {
    return relay_lost_client(EndReason::client_silent);
  }
  if (now_ns >= relay.node.heard_ns + timeouts.dead_after_ms * ns_per_ms) {
    return relay_lost_node(EndReason::node_slow, CloseCode::service_restart, "the node does not answer");
  }
  const auto wants_ping = [&](const Liveness& side) {
    return now_ns >= std::max(side.heard_ns, side.pinged_ns) + timeouts.ping_interval_ms * ns_per_ms;
  };
  if (wants_ping(relay.client)) {
    relay.client.pinged_ns = now_ns;
    relay.ping_due = true;
    send_due_frames();
  }
  if (wants_ping(relay.node)) ping_node();
  set_relay_timer();
}

void Session::ping_node() {
  node_->expect(0);  // what little of a frame may have come says that it lives
  relay_->node.pinged_ns = service_.resources.ring.now_ns();
  send_to_node(ControlFrame::ping({}, make_mask()));
}

}  // namespace ringwall::session
