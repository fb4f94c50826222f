// health.h: how the nodes are, as one immutable value that all shards, and whoever reports, read.
//
// Values only. Times are of CLOCK_MONOTONIC, in ns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::upstream {

// From the best to the worst.
enum class NodeState : std::uint8_t {
  unknown,    // not judged: it is not asked, or has not answered yet
  up,         //
  few_peers,  // fewer than it must have
  lagging,    // its best or its finalized block is too far behind the other nodes': see Board::measure
  stale,      // its best block has been the same for too long
  syncing,    // it says so itself
  failing,    // it takes no connection, or answers with what cannot be understood
};
inline constexpr std::size_t node_states = static_cast<std::size_t>(NodeState::failing) + 1;

// As metrics name it: "few_peers".
[[nodiscard]] std::string_view name(NodeState state);

struct NodeHealth {
  NodeState state = NodeState::unknown;
  std::string why{};                          // what is wrong, for people; empty of one that is up
  bool at_limit = false;                      // its last answer was 429: no outage
  std::optional<bool> syncing{};              // these as it said last; nothing where it knows no chain
  std::optional<std::uint32_t> peers{};       //
  std::optional<std::uint32_t> best{};        // the number of its best block
  std::optional<std::uint32_t> finalized{};   //
  std::optional<std::uint64_t> latency_ns{};  // see Observation
  std::optional<std::uint32_t> lag_blocks{};  // of both the greater, behind the others; nothing while they are old
  std::uint64_t grew_ns = 0;                  // when its best block was last seen to change
  std::uint64_t ejected_until_ns = 0;         // no new clients until then: as told of last, see Ejection
};

// One word of how it is: name() of its state, or "ejected" where that is worse.
[[nodiscard]] std::string_view state_word(const NodeHealth& node, std::uint64_t now_ns);
// 0: it is well. More is worse.
[[nodiscard]] unsigned badness(NodeState state, bool is_ejected);
[[nodiscard]] unsigned badness(const NodeHealth& node, std::uint64_t now_ns);
// It is well, and known to be: see GroupHealth::is_asked.
[[nodiscard]] bool is_healthy(const NodeHealth& node, bool is_asked, std::uint64_t now_ns);

// An upstream's nodes: those from `first` on.
struct GroupHealth {
  std::size_t first;
  std::size_t count;
  bool is_asked;  // its nodes are judged by what they say: one that has not been judged yet is not known to be well
  std::string name{};  // of the upstream
};

struct Health {
  std::vector<NodeHealth> nodes{};    // each upstream's, one upstream after the other
  std::vector<GroupHealth> groups{};  // as Config::upstreams

  [[nodiscard]] std::span<const NodeHealth> nodes_of(std::size_t group) const {
    return std::span(nodes).subspan(groups[group].first, groups[group].count);
  }
  [[nodiscard]] bool has_healthy_node(std::size_t group, std::uint64_t now_ns) const;
  // Any upstream has a healthy node: one whose nodes are all down takes no other's clients away.
  [[nodiscard]] bool is_ready(std::uint64_t now_ns) const;
};

}  // namespace ringwall::upstream
