// Which node a request gets, the next one where that does not take it, and what is told of how each did.
#include <ringwall/session/session.h>

#include <algorithm>
#include <utility>

namespace ringwall::session {

void Service::set_watch(upstream::Watch& watch) {
  watch_ = &watch;
  health_.emplace(watch.health());
}

void Service::add_group(std::span<upstream::Target* const> targets, const config::Upstream& upstream) {
  RINGWALL_CHECK(!targets.empty() && targets.size() <= upstream::group_nodes_max);
  NodeGroup& group = groups.emplace_back(NodeGroup{.index = groups.size(), .balance = upstream.balance});
  for (upstream::Target* const target : targets) {
    nodes.push_back(std::make_unique<NodeService>(nodes.size(), *target, upstream, resources));
    group.nodes.push_back(nodes.back().get());
    group.targets.push_back(target);
  }
}

NodeService* Service::choose(NodeGroup& group, const AddressBytes& client, std::uint64_t tried) {
  if (group.nodes.size() == 1) return tried == 0 ? group.nodes.front() : nullptr;
  const std::span<const upstream::NodeHealth> health =
      health_ ? health_->get().nodes_of(group.index) : std::span<const upstream::NodeHealth>();
  const bool by_address = group.balance == config::Balance::hash;
  const auto chosen = upstream::choose(group.targets, health, group.balance,
                                       {.client = by_address ? upstream::client_hash(share_key(client)) : 0,
                                        .tried = tried,
                                        .turn = tried == 0 ? group.turn++ : group.turn,
                                        .now_ns = resources.ring.now_ns()});
  return chosen ? group.nodes[*chosen] : nullptr;
}

void Service::node_failed(const NodeService& node) {
  if (watch_ != nullptr) watch_->failed(node.index, resources.ring.now_ns());
}

void Service::node_answered(const NodeService& node) {
  if (watch_ != nullptr) watch_->answered(node.index, resources.ring.now_ns());
}

// Of the nodes that have not been tried, for the request that has none yet. A WebSocket takes a place of it.
bool Session::choose_node() {
  Request& request = *request_;
  const std::vector<NodeService*>& nodes = request.group.nodes;
  while (NodeService* const node = service_.choose(request.group, address_, request.tried)) {
    request.tried |= std::uint64_t{1} << (std::ranges::find(nodes, node) - nodes.begin());
    if (request.upgrade && !node->target.take_place()) continue;
    request.node = node;
    note_node(*node);
    if (request.upgrade) {
      place_ = node;
    } else if (nodes.size() > 1) {
      request.count_at(node);
    }
    return true;
  }
  return false;
}

// For a request that its node has not taken. The one it had stays its own where this is false.
bool Session::choose_next_node() {
  Request& request = *request_;
  NodeService* const before = request.node;
  NodeService* const place_before = place_;
  if (!choose_node()) return false;
  if (place_before != nullptr) place_before->target.give_back_place();
  request.addresses.reset();
  request.on_used_connection = false;
  request.node_said_something = false;
  // The node's filter knows its own Host alone. It is a field of its head, in which no value has a line's end.
  const std::string old_field = "\r\nHost: " + before->host + "\r\n";
  const std::size_t at = request.head.find(old_field);
  if (request.names_node && at != std::string::npos) {
    std::string head = make_request_text("", request.head.size() + request.node->host.size());
    head.append(request.head, 0, at).append("\r\nHost: ").append(request.node->host).append("\r\n");
    head.append(request.head, at + old_field.size());
    request.head = std::move(head);
  }
  return true;
}

// The same, where it has been sent.
bool Session::send_to_next_node() {
  NodeService* const before = request_->node;
  if (!choose_next_node()) return false;
  timer_.stop();
  before->pool.retire(std::move(node_));
  request_->connect_deadline_ns = 0;  // the wait for an answer was none for a connection
  set_state(State::connecting);
  if (!request_->upgrade && take_kept_connection()) {
    send_request();
  } else {
    connect();
  }
  return true;
}

}  // namespace ringwall::session
