// board.h: judges the nodes: from what each says of its chain beside the others, and from requests that failed.
//
// Knows no clock and does no I/O: each time comes from the caller, in ns of CLOCK_MONOTONIC. After each call snapshot()
// is how the nodes are now; what is to be told of it is returned, once for each change. Owner: the Watch, under its
// lock.
#pragma once

#include <ringwall/upstream/ejection.h>
#include <ringwall/upstream/health.h>
#include <ringwall/upstream/log_line.h>
#include <ringwall/upstream/observation.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace ringwall::upstream {

struct HealthSettings {
  std::uint32_t fall = 2;             // bad observations in a row that change a judgement for the worse
  std::uint32_t rise = 2;             // good ones that change it for the better
  std::uint32_t peers_min = 1;        // of a node that should have peers
  std::uint32_t lag_blocks_max = 0;   // 0: any
  std::uint32_t block_age_max_s = 0;  // 0: any
  EjectionTerms eject{};
};

struct BoardGroup {
  std::string name;                // of the upstream
  std::vector<std::string> nodes;  // what people are told of each
  bool is_asked = true;            // there will be observations
  HealthSettings settings{};
};

class Board {
 public:
  explicit Board(std::vector<BoardGroup> groups);

  // The first observation of a node decides at once.
  [[nodiscard]] std::vector<LogLine> observed(std::size_t node, const Observation& seen, std::uint64_t now_ns);
  // What requests have decided, as its ejection has it: it is out, or was and is no more.
  [[nodiscard]] std::vector<LogLine> ejected(std::size_t node, const Ejection& ejection, std::uint64_t now_ns);
  [[nodiscard]] std::vector<LogLine> recovered(std::size_t node, const Ejection& ejection, std::uint64_t now_ns);

  [[nodiscard]] std::shared_ptr<const Health> snapshot() const { return std::make_shared<const Health>(health_); }
  // The only node of a group is never ejected.
  [[nodiscard]] EjectionTerms ejection_terms(std::size_t node) const;

 private:
  struct Row {
    std::string name;
    std::size_t group;
    std::uint32_t bad_in_row = 0;
    std::uint32_t good_in_row = 0;
    bool has_chain = false;                // its last observation told of one: its numbers are of now
    NodeState found = NodeState::unknown;  // by its last observation, adopted or not
  };
  struct Verdict {
    NodeState state;
    std::string why{};
  };

  [[nodiscard]] Verdict judge(std::size_t node, const Observation& seen, std::uint64_t now_ns) const;
  [[nodiscard]] bool is_adopted(Row& row, NodeState held, NodeState found) const;
  void note(std::size_t node, const Observation& seen, std::uint64_t now_ns);
  using Number = std::optional<std::uint32_t> NodeHealth::*;
  // The nodes of a group whose numbers are of now, the highest first.
  [[nodiscard]] std::vector<std::size_t> ranked(std::size_t group, Number number) const;
  // How far the first of them is ahead of the second.
  [[nodiscard]] std::uint32_t lead(const std::vector<std::size_t>& ranked, Number number) const;
  // A lead that no node which is behind explains, while it does not say that it is syncing.
  [[nodiscard]] bool is_absurd(std::size_t group, std::uint32_t lead) const;
  // The block that a node has to have, but for lag_blocks_max. Of three or more the second highest, so that one node
  // which is wrong condemns nobody. Of two the higher one, unless its lead is absurd: nobody can say then which of them
  // is wrong.
  [[nodiscard]] std::uint32_t measure(std::size_t group, Number number) const;
  [[nodiscard]] std::optional<std::uint32_t> lag_of(std::size_t node) const;
  // Of a lead that is absurd, if that has changed.
  void tell_lead(std::size_t group, std::vector<LogLine>& lines);
  void tell(std::size_t node, NodeState before, std::vector<LogLine>& lines) const;
  // Of the group as a whole, if that has changed.
  void tell_group(std::size_t group, std::uint64_t now_ns, std::vector<LogLine>& lines);

  std::vector<BoardGroup> groups_;
  std::vector<Row> rows_;
  std::vector<bool> told_none_;  // of each group: that no node of it is healthy
  std::vector<bool> told_lead_;  // that one of its nodes is absurdly far ahead
  Health health_;
};

}  // namespace ringwall::upstream
