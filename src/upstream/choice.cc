#include <ringwall/check.h>
#include <ringwall/keyed_hash.h>
#include <ringwall/upstream/choice.h>

#include <string_view>
#include <tuple>

namespace ringwall::upstream {

std::uint64_t client_hash(const std::array<std::uint8_t, 16>& address) {
  return keyed_hash(HashSeed{}, {reinterpret_cast<const char*>(address.data()), address.size()});
}

namespace {

std::uint64_t rendezvous(std::uint64_t client, std::uint64_t node) {
  SipHash hash(HashSeed{});
  hash.absorb(client);
  hash.absorb(node);
  return hash.finish(0, 16);
}

}  // namespace

std::optional<std::size_t> choose(std::span<const Target* const> nodes, std::span<const NodeHealth> health,
                                  config::Balance balance, const Ballot& ballot) {
  RINGWALL_CHECK(!nodes.empty() && nodes.size() <= group_nodes_max);
  RINGWALL_CHECK(health.empty() || health.size() == nodes.size());
  std::optional<std::size_t> best;
  std::tuple<unsigned, std::uint64_t> best_cost;
  // Each in its turn is the first to be looked at: equals are then dealt out one after the other.
  for (std::size_t step = 0; step < nodes.size(); ++step) {
    const std::size_t index = (step + ballot.turn) % nodes.size();
    if ((ballot.tried >> index & 1) != 0) continue;
    const Target& node = *nodes[index];
    const NodeState state = health.empty() ? NodeState::unknown : health[index].state;
    const std::tuple cost{badness(state, node.ejection().is_on(ballot.now_ns)),
                          balance == config::Balance::hash ? ~rendezvous(ballot.client, node.identity()) : node.load()};
    if (best && best_cost <= cost) continue;
    best = index;
    best_cost = cost;
  }
  return best;
}

}  // namespace ringwall::upstream
