// WebSocket's opening handshake: the client's request checked, the node's answer verified, then the client's 101.
#include <ringwall/session/session.h>

#include <algorithm>
#include <utility>

namespace ringwall::session {

void Session::begin_upgrade(const http::RequestHead& head, NodeGroup& group, config::Mode mode) {
  const auto checked = http::check_upgrade(head);
  if (!checked) return refuse(checked.error(), EndReason::client_refused);
  request_ = std::make_unique<Request>(group, service_.assembly, share_);
  request_->upgrade = std::make_unique<Upgrade>();
  if (!choose_node()) {
    service_.notify(Notice::node_cap_reached, "upstream " + service_.config.upstreams[group.index].name +
                                                  ": upstream.connections_max WebSocket connections are open");
    static constexpr http::Header retry{"Retry-After", "5"};
    return answer({.status = 503,
                   .body = "this endpoint has as many connections as it may: try again later\n",
                   .keep_alive = false,
                   .extra = {&retry, 1}},
                  EndReason::node_refused);
  }
  Upgrade& upgrade = *request_->upgrade;
  upgrade.mode = mode;
  RINGWALL_CHECK(checked->key.size() == upgrade.client_key.size());
  std::ranges::copy(checked->key, upgrade.client_key.begin());
  upgrade.protocols = checked->protocols;
  std::array<std::byte, 16> random;
  service_.resources.ring.backend().fill_random(random);
  upgrade.node_key = http::make_key(random);
  const auto bytes = http::write_upgrade_request(service_.head_text, head, origin(head, *request_),
                                                 {upgrade.node_key.data(), upgrade.node_key.size()}, upgrade.protocols);
  if (!bytes) return refuse({431, "the request's head is too large to be passed on"}, EndReason::client_refused);
  request_->head.assign(service_.head_text.data(), *bytes);
  timer_.stop();
  connect();
}

void Session::complete_upgrade(const http::ResponseHead& head, ring::Slice rest) {
  const Upgrade& upgrade = *request_->upgrade;
  const auto protocol =
      http::verify_upgrade_response(head, {upgrade.node_key.data(), upgrade.node_key.size()}, upgrade.protocols);
  if (head.status == 403) {
    service_.notify(Notice::node_forbids, "upstream " + request_->node->target.name() +
                                              ": it refuses a WebSocket with 403: allow the page's Origin with "
                                              "--rpc-cors, or keep listener.host = \"auto\"");
    return refuse({403, "the node refuses this Host or Origin"}, EndReason::node_refused);
  }
  if (!protocol) {
    service_.notify(Notice::node_garbage, "upstream " + request_->node->target.name() +
                                              ": it refused a WebSocket with status " + std::to_string(head.status) +
                                              ": " + std::string(protocol.error()));
    return refuse({502, "the node does not speak WebSocket here"}, EndReason::node_refused);
  }
  const auto bytes =
      http::write_101(service_.head_text, {upgrade.client_key.data(), upgrade.client_key.size()}, *protocol);
  RINGWALL_CHECK(bytes.has_value());
  client_.send_copy(std::string_view(service_.head_text.data(), *bytes));
  const config::Mode mode = upgrade.mode;
  service_.node_answered(*request_->node);
  // The node is place_'s from here on.
  request_.reset();
  std::string().swap(node_input_);

  std::string early = std::exchange(input_, {});
  (void)charge_input();
  if (mode == config::Mode::tunnel) {
    set_state(State::tunnel);
    tunnel_heard_ns_ = service_.resources.ring.now_ns();
    set_timer(service_.config.timeouts.tunnel_idle_ms);
    client_.send(std::move(rest));
    node_->send_copy(early);
  } else {
    begin_relay();
    if (!rest.empty()) relay_node(rest);
    for (std::string_view left = early; !left.empty() && state_ == State::relay;) {
      const std::string_view part = left.substr(0, connection::Arena::block_bytes);
      relay_client(service_.resources.arena.copy(std::as_bytes(std::span(part))));
      left.remove_prefix(part.size());
    }
  }
  update_client_receiving();
  leave_if_answered();
}

}  // namespace ringwall::session
