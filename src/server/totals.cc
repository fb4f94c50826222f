#include <ringwall/server/totals.h>

#include <fmt/core.h>

#include <array>
#include <string_view>
#include <utility>

namespace ringwall::server {

namespace {

constexpr std::array<std::pair<std::string_view, std::uint64_t session::GuardCounters::*>, 11> of_guard{{
    {"messages", &session::GuardCounters::messages},
    {"calls", &session::GuardCounters::calls},
    {"unreadable", &session::GuardCounters::unreadable},
    {"unsafe", &session::GuardCounters::unsafe_calls},
    {"not_offered", &session::GuardCounters::not_offered},
    {"unknown_unnamed", &session::GuardCounters::unknown_unnamed},
    {"invalid", &session::GuardCounters::invalid},
    {"batches_refused", &session::GuardCounters::batches_refused},
    {"connections_denied", &session::GuardCounters::connections_denied},
    {"handshakes_refused", &session::GuardCounters::handshakes_refused},
    {"proxied_refused", &session::GuardCounters::proxied_refused},
}};

constexpr std::array<std::pair<std::string_view, std::uint64_t quota::Counters::*>, 5> of_quota{{
    {"connections", &quota::Counters::connections_given},
    {"units", &quota::Counters::units_given},
    {"units_exempt", &quota::Counters::units_exempt},
    {"units_owed", &quota::Counters::units_owed},
    {"overflow_clients", &quota::Counters::overflow_clients},
}};

template <typename Counters, typename Rows>
void add_rows(Counters& to, const Counters& from, const Rows& rows) {
  for (const auto& [name, member] : rows) to.*member += from.*member;
}

}  // namespace

void Totals::add(shard::Shard& shard) {
  const session::Service& service = shard.service();
  Totals one;
  one.sessions_ = service.sessions_opened;
  one.ended_ = service.ended;
  one.node_limit_reached_ = service.node_limit_reached;
  one.hoarders_dropped_ = shard.resources().counters.hoarders_dropped;
  one.memory_waits_ = service.assembly.times_reached();
  one.guard_ = service.guard.counters;
  one.quota_ = service.guard.admission.counters();
  one.unknown_.insert(service.guard.unknown_names().begin(), service.guard.unknown_names().end());
  add(one);
}

void Totals::add(const Totals& other) {
  sessions_ += other.sessions_;
  for (std::size_t index = 0; index < ended_.size(); ++index) ended_[index] += other.ended_[index];
  node_limit_reached_ += other.node_limit_reached_;
  hoarders_dropped_ += other.hoarders_dropped_;
  memory_waits_ += other.memory_waits_;
  for (const auto& [method, count] : other.unknown_) unknown_[method] += count;
  add_rows(guard_, other.guard_, of_guard);
  add_rows(quota_, other.quota_, of_quota);
  for (std::size_t index = 0; index < quota_.refused.size(); ++index)
    quota_.refused[index] += other.quota_.refused[index];
}

std::string Totals::sessions_text() const {
  std::string line = fmt::format("stopped: {} session{}", sessions_, sessions_ == 1 ? "" : "s");
  for (std::size_t index = 0; index < ended_.size(); ++index) {
    if (ended_[index] > 0) line += fmt::format(", {} {}", ended_[index], name(static_cast<session::EndReason>(index)));
  }
  if (node_limit_reached_ > 0) {
    line += fmt::format("; a node was at its connection limit {} time{}", node_limit_reached_,
                        node_limit_reached_ == 1 ? "" : "s");
  }
  if (hoarders_dropped_ > 0) line += fmt::format("; {} slow readers were dropped for memory", hoarders_dropped_);
  if (memory_waits_ > 0) line += fmt::format("; memory for messages was asked for in vain {} times", memory_waits_);
  return line;
}

std::string Totals::unknown_text() const {
  std::string line;
  for (const auto& [method, count] : unknown_) {
    line +=
        fmt::format("{}{} {} time{}", line.empty() ? "not offered here: " : ", ", method, count, count == 1 ? "" : "s");
  }
  return line;
}

std::string Totals::guard_text() const {
  std::string line = "guard:";
  for (const auto& [name, member] : of_guard) line += fmt::format(" {}={}", name, guard_.*member);
  for (const auto& [name, member] : of_quota) line += fmt::format(" {}={}", name, quota_.*member);
  for (std::size_t index = 0; index < quota_.refused.size(); ++index) {
    if (quota_.refused[index] == 0) continue;
    line += fmt::format(" refused.{}={}", quota::to_text(static_cast<quota::Reason>(index)), quota_.refused[index]);
  }
  return line;
}

}  // namespace ringwall::server
