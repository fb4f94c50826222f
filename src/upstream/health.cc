#include <ringwall/check.h>
#include <ringwall/upstream/health.h>

#include <algorithm>

namespace ringwall::upstream {

std::string_view name(NodeState state) {
  switch (state) {
    case NodeState::unknown:
      return "unknown";
    case NodeState::up:
      return "up";
    case NodeState::few_peers:
      return "few_peers";
    case NodeState::lagging:
      return "lagging";
    case NodeState::stale:
      return "stale";
    case NodeState::syncing:
      return "syncing";
    case NodeState::failing:
      return "failing";
  }
  RINGWALL_CHECK(false);
}

std::string_view state_word(const NodeHealth& node, std::uint64_t now_ns) {
  const bool is_ejected = node.state != NodeState::failing && node.ejected_until_ns > now_ns;
  return is_ejected ? "ejected" : name(node.state);
}

// One that was ejected may be as good as any by what it says, but clients had nothing of it.
unsigned badness(NodeState state, bool is_ejected) {
  const auto of = [](NodeState which) { return static_cast<unsigned>(which) - static_cast<unsigned>(NodeState::up); };
  constexpr unsigned well = 0;
  const unsigned ejected = of(NodeState::failing), failing = ejected + 1;
  if (state == NodeState::failing) return failing;
  if (is_ejected) return ejected;
  return state == NodeState::unknown ? well : of(state);
}

unsigned badness(const NodeHealth& node, std::uint64_t now_ns) {
  return badness(node.state, node.ejected_until_ns > now_ns);
}

bool is_healthy(const NodeHealth& node, bool is_asked, std::uint64_t now_ns) {
  return badness(node, now_ns) == 0 && (node.state == NodeState::up || !is_asked);
}

bool Health::has_healthy_node(std::size_t group, std::uint64_t now_ns) const {
  return std::ranges::any_of(nodes_of(group),
                             [&](const NodeHealth& node) { return is_healthy(node, groups[group].is_asked, now_ns); });
}

bool Health::is_ready(std::uint64_t now_ns) const {
  for (std::size_t group = 0; group < groups.size(); ++group) {
    if (has_healthy_node(group, now_ns)) return true;
  }
  return false;
}

}  // namespace ringwall::upstream
