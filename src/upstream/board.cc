#include <ringwall/check.h>
#include <ringwall/upstream/board.h>

#include <algorithm>
#include <functional>
#include <utility>

namespace ringwall::upstream {

namespace {

using Kind = Observation::Kind;
using Level = LogLine::Level;

constexpr std::uint64_t ns_per_s = 1'000'000'000;
// A day of a relay chain's blocks of 6 s. Who is so far behind its peers says that it is syncing.
constexpr std::uint32_t lead_blocks_max = 14'400;

bool is_good(NodeState state) { return state == NodeState::up || state == NodeState::unknown; }

std::string blocks_text(std::uint32_t blocks) { return std::to_string(blocks) + (blocks == 1 ? " block" : " blocks"); }

std::string seconds_text(std::uint64_t ms) {
  return ms % 1'000 == 0 ? std::to_string(ms / 1'000) + " s" : std::to_string(ms) + " ms";
}

}  // namespace

Board::Board(std::vector<BoardGroup> groups)
    : groups_(std::move(groups)), told_none_(groups_.size(), false), told_lead_(groups_.size(), false) {
  for (std::size_t index = 0; index < groups_.size(); ++index) {
    const BoardGroup& group = groups_[index];
    health_.groups.push_back(
        {.first = rows_.size(), .count = group.nodes.size(), .is_asked = group.is_asked, .name = group.name});
    for (const std::string& name : group.nodes) rows_.push_back({.name = name, .group = index});
  }
  health_.nodes.resize(rows_.size());
}

EjectionTerms Board::ejection_terms(std::size_t node) const {
  const BoardGroup& group = groups_[rows_[node].group];
  return group.nodes.size() > 1 ? group.settings.eject : EjectionTerms{};
}

std::vector<LogLine> Board::observed(std::size_t node, const Observation& seen, std::uint64_t now_ns) {
  RINGWALL_CHECK(node < rows_.size());
  Row& row = rows_[node];
  NodeHealth& held = health_.nodes[node];
  note(node, seen, now_ns);
  // The others' lag changes with what this one says.
  const GroupHealth& group = health_.groups[row.group];
  for (std::size_t index = group.first; index < group.first + group.count; ++index) {
    health_.nodes[index].lag_blocks = lag_of(index);
  }
  std::vector<LogLine> lines;
  tell_lead(row.group, lines);
  // A 429 says that the node is there, and nothing of its chain: what was thought of that stays.
  const bool was_there = held.state != NodeState::unknown && held.state != NodeState::failing;
  if (seen.kind == Kind::at_limit && was_there && row.found != NodeState::failing) return lines;
  Verdict verdict = judge(node, seen, now_ns);
  row.found = verdict.state;
  const NodeState before = held.state;
  if (is_adopted(row, before, verdict.state)) {
    held.state = verdict.state;
    held.why = std::move(verdict.why);
    tell(node, before, lines);
  }
  tell_group(row.group, now_ns, lines);
  return lines;
}

void Board::note(std::size_t node, const Observation& seen, std::uint64_t now_ns) {
  NodeHealth& held = health_.nodes[node];
  held.at_limit = seen.kind == Kind::at_limit;
  held.latency_ns = seen.latency_ns;
  rows_[node].has_chain = seen.kind == Kind::chain;
  if (held.at_limit) return;
  if (seen.kind == Kind::failed) return;  // the numbers it said last are still the last
  if (seen.kind == Kind::open) {
    held.syncing.reset();
    held.peers.reset();
    held.best.reset();
    held.finalized.reset();
    return;
  }
  if (held.grew_ns == 0 || held.best != seen.best) held.grew_ns = now_ns;
  held.syncing = seen.is_syncing;
  held.peers = seen.peers;
  held.best = seen.best;
  held.finalized = seen.finalized;
}

// Only those count that have answered just now: what a node said before it went away, or while it answers with 429, is
// no measure of the others.
std::vector<std::size_t> Board::ranked(std::size_t group, Number number) const {
  const GroupHealth& all = health_.groups[group];
  std::vector<std::size_t> nodes;
  for (std::size_t node = all.first; node < all.first + all.count; ++node) {
    if (rows_[node].has_chain && health_.nodes[node].*number) nodes.push_back(node);
  }
  std::ranges::stable_sort(nodes, std::greater(), [&](std::size_t node) { return *(health_.nodes[node].*number); });
  return nodes;
}

std::uint32_t Board::lead(const std::vector<std::size_t>& ranked, Number number) const {
  return ranked.size() < 2 ? 0 : *(health_.nodes[ranked[0]].*number) - *(health_.nodes[ranked[1]].*number);
}

bool Board::is_absurd(std::size_t group, std::uint32_t lead) const {
  return lead > std::uint64_t{groups_[group].settings.lag_blocks_max} + lead_blocks_max;
}

std::uint32_t Board::measure(std::size_t group, Number number) const {
  const std::vector<std::size_t> nodes = ranked(group, number);
  if (nodes.size() < 2) return 0;
  const bool is_second = nodes.size() > 2 || is_absurd(group, lead(nodes, number));
  return *(health_.nodes[nodes[is_second ? 1 : 0]].*number);
}

std::optional<std::uint32_t> Board::lag_of(std::size_t node) const {
  const NodeHealth& held = health_.nodes[node];
  if (!rows_[node].has_chain || !held.best) return std::nullopt;
  const auto behind = [&](Number number) {
    const std::uint32_t own = (held.*number).value_or(0), due = measure(rows_[node].group, number);
    return held.*number && due > own ? due - own : 0;
  };
  return std::max(behind(&NodeHealth::best), behind(&NodeHealth::finalized));
}

void Board::tell_lead(std::size_t group, std::vector<LogLine>& lines) {
  bool is_comparable = false;  // what a node of two has said last may be old for a moment: no news
  for (const Number number : {&NodeHealth::best, &NodeHealth::finalized}) {
    const std::vector<std::size_t> nodes = ranked(group, number);
    is_comparable = is_comparable || nodes.size() > 1;
    const std::uint32_t blocks = lead(nodes, number);
    if (!is_absurd(group, blocks)) continue;
    if (told_lead_[group]) return;
    told_lead_[group] = true;
    lines.push_back({.level = Level::warning,
                     .text = "upstream " + rows_[nodes.front()].name + " is " + blocks_text(blocks) +
                             " ahead of all others: is it of another chain, or are they? Nobody is judged by it"});
    return;
  }
  if (is_comparable) told_lead_[group] = false;
}

// The gravest of what is wrong.
Board::Verdict Board::judge(std::size_t node, const Observation& seen, std::uint64_t now_ns) const {
  const HealthSettings& settings = groups_[rows_[node].group].settings;
  const NodeHealth& held = health_.nodes[node];
  if (seen.kind == Kind::failed) return {NodeState::failing, seen.why};
  if (seen.kind != Kind::chain) return {NodeState::up};
  if (seen.is_syncing) return {NodeState::syncing, "it is syncing"};
  const std::uint64_t age_s = (now_ns - held.grew_ns) / ns_per_s;
  if (settings.block_age_max_s != 0 && seen.best && age_s > settings.block_age_max_s) {
    return {NodeState::stale, "its best block has been " + std::to_string(*seen.best) + " for more than " +
                                  std::to_string(settings.block_age_max_s) + " s"};
  }
  if (settings.lag_blocks_max != 0 && held.lag_blocks > settings.lag_blocks_max) {
    return {NodeState::lagging, "it is " + blocks_text(*held.lag_blocks) + " behind"};
  }
  if (seen.should_have_peers && seen.peers < settings.peers_min) {
    return {NodeState::few_peers, "it has " + std::to_string(seen.peers) + (seen.peers == 1 ? " peer" : " peers")};
  }
  return {NodeState::up};
}

bool Board::is_adopted(Row& row, NodeState held, NodeState found) const {
  const HealthSettings& settings = groups_[row.group].settings;
  row.good_in_row = is_good(found) ? row.good_in_row + 1 : 0;
  row.bad_in_row = is_good(found) ? 0 : row.bad_in_row + 1;
  if (held == found) return false;
  if (held == NodeState::unknown) return true;
  if (is_good(found)) return row.good_in_row >= settings.rise;
  return !is_good(held) || row.bad_in_row >= settings.fall;
}

std::vector<LogLine> Board::ejected(std::size_t node, const Ejection& ejection, std::uint64_t now_ns) {
  RINGWALL_CHECK(node < rows_.size());
  const Row& row = rows_[node];
  health_.nodes[node].ejected_until_ns = ejection.until_ns();
  std::vector<LogLine> lines{{.level = Level::warning,
                              .text = "upstream " + row.name + ": " + std::to_string(ejection_terms(node).failures) +
                                      " requests in a row failed: it gets no new ones for " +
                                      seconds_text(ejection.length_ms()),
                              .upstream = row.name,
                              .state = state_word(health_.nodes[node], now_ns)}};
  tell_group(row.group, now_ns, lines);
  return lines;
}

std::vector<LogLine> Board::recovered(std::size_t node, const Ejection& ejection, std::uint64_t now_ns) {
  RINGWALL_CHECK(node < rows_.size());
  health_.nodes[node].ejected_until_ns = ejection.until_ns();
  std::vector<LogLine> lines{{.level = Level::info,
                              .text = "upstream " + rows_[node].name + ": it answers requests again",
                              .upstream = rows_[node].name,
                              .state = state_word(health_.nodes[node], now_ns)}};
  tell_group(rows_[node].group, now_ns, lines);
  return lines;
}

void Board::tell(std::size_t node, NodeState before, std::vector<LogLine>& lines) const {
  const NodeHealth& now = health_.nodes[node];
  std::string text = "upstream " + rows_[node].name;
  if (!is_good(now.state)) {
    text += " is not healthy (" + std::string(name(now.state)) + "): " + now.why;
  } else {
    text += before == NodeState::unknown ? " is healthy" : " is healthy again";
    if (now.best) text += ", best block " + std::to_string(*now.best);
    if (now.finalized) text += ", finalized " + std::to_string(*now.finalized);
    if (now.peers) text += ", " + std::to_string(*now.peers) + (*now.peers == 1 ? " peer" : " peers");
  }
  lines.push_back({.level = is_good(now.state) ? Level::info : Level::warning,
                   .text = std::move(text),
                   .upstream = rows_[node].name,
                   .state = name(now.state)});
}

void Board::tell_group(std::size_t group, std::uint64_t now_ns, std::vector<LogLine>& lines) {
  const std::span<const NodeHealth> nodes = health_.nodes_of(group);
  const auto bad = [&](const NodeHealth& node) { return badness(node, now_ns); };
  const bool is_none = std::ranges::none_of(nodes, [&](const NodeHealth& node) { return bad(node) == 0; });
  if (is_none == told_none_[group] || nodes.size() < 2) return;
  told_none_[group] = is_none;
  const std::string start = "upstream " + groups_[group].name;
  if (!is_none) {
    lines.push_back(
        {.level = Level::info, .text = start + " has a healthy node again", .upstream = groups_[group].name});
    return;
  }
  const auto least = std::ranges::min_element(nodes, {}, bad);
  const std::size_t index = health_.groups[group].first + static_cast<std::size_t>(least - nodes.begin());
  lines.push_back({.level = Level::warning,
                   .text = start + " has no healthy node: clients get what is the least bad, now " + rows_[index].name,
                   .upstream = groups_[group].name});
}

}  // namespace ringwall::upstream
