#include <ringwall/server/totals.h>

#include <fmt/core.h>

#include <array>
#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ringwall::server {

namespace {

constexpr std::array<std::pair<std::string_view, std::uint64_t session::GuardCounters::*>, 12> of_guard{{
    {"messages", &session::GuardCounters::messages},
    {"calls", &session::GuardCounters::calls},
    {"unreadable", &session::GuardCounters::unreadable},
    {"unsafe", &session::GuardCounters::unsafe_calls},
    {"not_offered", &session::GuardCounters::not_offered},
    {"unknown_unnamed", &session::GuardCounters::unknown_unnamed},
    {"invalid", &session::GuardCounters::invalid},
    {"batches_refused", &session::GuardCounters::batches_refused},
    {"connections_denied", &session::GuardCounters::connections_denied},
    {"requests_denied", &session::GuardCounters::requests_denied},
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

// Of one line, with the names that are made for it.
class Fields {
 public:
  void add(std::string_view name, std::uint64_t value) { fields_.push_back({name, value}); }
  void add_if_any(std::string_view kind, std::string_view name, std::uint64_t value) {
    if (value > 0) add(names_.emplace_back(kind).append(name), value);
  }
  [[nodiscard]] std::span<const log::Field> all() const { return fields_; }

 private:
  std::deque<std::string> names_;  // where none moves
  std::vector<log::Field> fields_;
};

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
  for (const auto& node : service.nodes) one.node_limit_reached_ += node->limit_reached;
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

void Totals::tell_sessions(const log::Sink& sink) const {
  Fields fields;
  fields.add("sessions", sessions_);
  for (std::size_t index = 0; index < ended_.size(); ++index) {
    fields.add_if_any("ended_", name(static_cast<session::EndReason>(index)), ended_[index]);
  }
  fields.add_if_any("", "upstream_limit_reached", node_limit_reached_);
  fields.add_if_any("", "backlog_dropped_connections", hoarders_dropped_);
  fields.add_if_any("", "assembly_full", memory_waits_);
  sink({.level = log::Level::info, .event = "stopped", .sentence = "stopped", .fields = fields.all()});
}

void Totals::tell_guard(const log::Sink& sink) const {
  Fields fields;
  for (const auto& [name, member] : of_guard) fields.add(name, guard_.*member);
  for (const auto& [name, member] : of_quota) fields.add(name, quota_.*member);
  for (std::size_t index = 0; index < quota_.refused.size(); ++index) {
    fields.add_if_any("refused_", quota::to_text(static_cast<quota::Reason>(index)), quota_.refused[index]);
  }
  sink({.level = log::Level::info, .event = "guard_totals", .sentence = "guard", .fields = fields.all()});
}

void Totals::tell_unknown(const log::Sink& sink) const {
  if (unknown_.empty()) return;
  std::string line;
  std::uint64_t calls = 0;
  for (const auto& [method, count] : unknown_) {
    line +=
        fmt::format("{}{} {} time{}", line.empty() ? "not offered here: " : ", ", method, count, count == 1 ? "" : "s");
    calls += count;
  }
  Fields fields;
  fields.add("methods", unknown_.size());
  fields.add("calls", calls);
  sink({.level = log::Level::info, .event = "not_offered_totals", .sentence = line, .fields = fields.all()});
}

void Totals::tell(const log::Sink& sink) const {
  tell_sessions(sink);
  tell_guard(sink);
  tell_unknown(sink);
}

}  // namespace ringwall::server
