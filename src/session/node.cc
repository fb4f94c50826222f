// Getting a connection to the node and the head of its answer, and what can go wrong with either.
#include <ringwall/session/session.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <utility>

namespace ringwall::session {

http::Origin Session::origin(const http::RequestHead& head, Request& request) {
  request.names_node = listener_.config.host == config::HostHeader::automatic || head.host.empty();
  return {.address = address_text_,
          .proto = client_of(head).https ? "https" : "http",
          .host_for_node = request.names_node ? std::string_view(request.node->host) : head.host};
}

void Session::connect() {
  Request& request = *request_;
  const std::uint64_t now_ns = service_.resources.ring.now_ns();
  if (!request.addresses) {
    request.addresses = request.node->target.addresses();
    request.address_index = 0;
  }
  if (request.connect_deadline_ns == 0) {
    request.connect_deadline_ns = now_ns + std::uint64_t{service_.config.timeouts.connect_ms} * 1'000'000;
  }
  set_state(State::connecting);
  if (request.address_index >= request.addresses->size()) {
    ++request.node->connect_failures;
    service_.node_failed(*request.node);
    service_.notify(Notice::node_unreachable, "upstream " + request.node->target.name() +
                                                  ": its name has not been found: is upstream.address right?");
    if (choose_next_node()) return connect();
    return refuse({502, "the node cannot be found"}, EndReason::node_unreachable);
  }
  node_ = std::make_unique<connection::Connection>(service_.resources, *this);
  node_->set_share(share_);
  const std::uint64_t left_ns = request.connect_deadline_ns > now_ns ? request.connect_deadline_ns - now_ns : 0;
  // An address that stays silent leaves time for those behind it, and a node for the others.
  const std::size_t addresses_left = request.addresses->size() - request.address_index;
  const std::size_t nodes_left = request.group.nodes.size() - static_cast<std::size_t>(std::popcount(request.tried));
  node_->connect((*request.addresses)[request.address_index++], left_ns / (addresses_left + nodes_left));
}

// The next address, or the next node's, is tried from on_closed, when this connection has been joined.
void Session::connect_failed(connection::Failure failure) {
  Request& request = *request_;
  if (node_->last_errno() == EMFILE || node_->last_errno() == ENFILE) {
    service_.notify(Notice::out_of_files, "no descriptor for a connection to a node: raise the open-file limit");
    return refuse({503, "out of open files: try again later"}, EndReason::node_unreachable);
  }
  if (request.address_index < request.addresses->size()) return;
  ++request.node->connect_failures;
  const bool late = failure == connection::Failure::connect_time;
  service_.notify(Notice::node_unreachable, "upstream " + request.node->target.name() +
                                                ": no connection: " + std::string(connection::name(failure)) +
                                                " (errno " + std::to_string(node_->last_errno()) + ")");
  service_.node_failed(*request.node);
  if (choose_next_node()) return;
  refuse(late ? http::Refusal{504, "the node did not accept a connection in time"}
              : http::Refusal{502, "the node accepts no connection"},
         EndReason::node_unreachable);
}

void Session::await_node() {
  set_state(State::awaiting);
  node_input_.clear();
  request_->heard_ns = service_.resources.ring.now_ns();
  set_timer(service_.config.timeouts.response_ms);
  if (client_.is_congested()) node_->pause_receiving();  // this node has not heard of it
}

void Session::read_node_head(ring::Slice bytes) {
  Request& request = *request_;
  request.node_said_something = true;
  request.heard_ns = service_.resources.ring.now_ns();
  std::string_view text(reinterpret_cast<const char*>(bytes.bytes().data()), bytes.size());
  const bool in_pieces = !node_input_.empty();
  if (in_pieces) text = node_input_.append(text);
  http::ResponseHead& head = service_.response_head;
  std::size_t used = 0;
  do {
    const auto parsed =
        http::parse_response_head(text.substr(used), request.is_head, head, service_.config.limits.head_bytes_max);
    if (!parsed) {
      service_.node_failed(*request.node);
      service_.notify(Notice::node_garbage,
                      "upstream " + request.node->target.name() +
                          ": its answer is not HTTP/1.1 as it should be: " + std::string(parsed.error()));
      return refuse({502, "the node's answer cannot be understood"}, EndReason::node_garbage);
    }
    if (*parsed == 0) {
      node_input_ = std::string(text.substr(used));
      return;
    }
    used += *parsed;
  } while (head.status < 200 && head.status != 101);

  if (head.status == 429) return node_at_its_limit();
  // The head was not whole before these bytes came, so what follows it is the end of them.
  ring::Slice rest = bytes.share(bytes.bytes().last(text.size() - used));
  if (request.upgrade) return complete_upgrade(head, std::move(rest));
  if (head.status == 101) {
    return refuse({502, "the node answered an upgrade that was not asked for"}, EndReason::node_garbage);
  }
  begin_answer(head, std::move(rest));
}

// It has no place left, and is well. It did nothing with the request, so that another node may have it.
void Session::node_at_its_limit() {
  ++request_->node->limit_reached;
  service_.notify(Notice::node_at_its_limit, "upstream " + request_->node->target.name() +
                                                 ": the node is at its connection limit (429): raise its "
                                                 "--rpc-max-connections, or lower upstream.connections_max");
  if (send_to_next_node()) return;
  static constexpr http::Header retry{"Retry-After", "5"};
  answer({.status = 503,
          .body = "the node is at its connection limit: try again later\n",
          .keep_alive = false,
          .to_head = request_->is_head,
          .extra = {&retry, 1}},
         EndReason::node_refused);
}

void Session::node_ended() {
  switch (state_) {
    case State::awaiting:
      if (request_->on_used_connection && !request_->node_said_something && request_->may_be_sent_again) {
        return send_again();
      }
      service_.node_failed(*request_->node);
      // Nothing comes of an upgrade but its answer.
      if (request_->upgrade && !request_->node_said_something && send_to_next_node()) return;
      return refuse({502, "the node closed the connection without an answer"}, EndReason::node_gone);
    case State::responding:
      if (request_->answer.whole_at_close()) {
        request_->node_keeps_alive = false;
        return end_answer();
      }
      return cut_answer(EndReason::node_gone);
    case State::relay:
    case State::closing:
      return relay_lost_node(EndReason::node_gone, websocket::CloseCode::service_restart, "the node has gone");
    case State::tunnel:
      return finish(EndReason::node_closed);
    default:
      return;
  }
}

void Session::node_failed(connection::Failure failure) {
  if (state_ == State::connecting) return connect_failed(failure);
  if (failure == connection::Failure::backlog_full) {
    if (state_ == State::relay || state_ == State::closing) {
      return relay_lost_node(EndReason::memory_bound, websocket::CloseCode::try_again_later, "out of memory");
    }
    return state_ == State::awaiting     ? refuse({503, "out of memory: try again later"}, EndReason::memory_bound)
           : state_ == State::responding ? cut_answer(EndReason::memory_bound)
                                         : cut(EndReason::memory_bound);
  }
  if (failure == connection::Failure::send_time) {
    if (state_ == State::awaiting) {
      service_.node_failed(*request_->node);
      return refuse({504, "the node does not read"}, EndReason::node_slow);
    }
    if (state_ == State::relay || state_ == State::closing) {
      return relay_lost_node(EndReason::node_slow, websocket::CloseCode::service_restart, "the node does not read");
    }
  }
  if (state_ == State::responding) return cut_answer(EndReason::node_gone);
  if (state_ == State::tunnel) return cut(EndReason::node_gone);
  node_ended();
}

}  // namespace ringwall::session
