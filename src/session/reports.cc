#include <ringwall/session/reports.h>

#include <ringwall/check.h>
#include <ringwall/log/fields.h>
#include <ringwall/log/log.h>

#include <utility>

namespace ringwall::session {

namespace {

constexpr std::uint32_t notices_per_s = 1;
constexpr std::uint64_t left_out_after_ns = 10'000'000'000;
constexpr std::string_view session_ended = "session_ended";
constexpr std::string_view call_denied = "call_denied";
constexpr std::size_t method_bytes_max = 64;

using Fields = log::Fields<4>;

template <typename Rows, typename Index>
auto& row_of(Rows& rows, Index index) {
  const auto at = static_cast<std::size_t>(index);
  RINGWALL_CHECK(at < rows.size());
  return rows[at];
}

}  // namespace

std::string_view name(Notice notice) {
  static constexpr std::array<std::string_view, notices> names = {
      "node_unreachable", "node_at_its_limit", "node_garbage", "node_cap_reached", "out_of_files",
      "accept_failed",    "backlog_spent",     "shard_full",   "node_forbids",     "proxy_header",
      "method_unknown",   "limit_reached",     "one_address"};
  return row_of(names, notice);
}

DenialReason denial_reason(rpc::Verdict verdict) {
  RINGWALL_CHECK(verdict != rpc::Verdict::allowed);
  return verdict == rpc::Verdict::unsafe_       ? DenialReason::unsafe_call
         : verdict == rpc::Verdict::not_offered ? DenialReason::not_offered
                                                : DenialReason::invalid;
}

DenialReason denial_reason(quota::Reason reason) {
  return static_cast<DenialReason>(static_cast<std::size_t>(DenialReason::limit) + static_cast<std::size_t>(reason));
}

std::string_view name(DenialReason reason) {
  static constexpr std::array<std::string_view, static_cast<std::size_t>(DenialReason::limit)> names = {
      "unsafe", "not_offered", "invalid", "unreadable"};
  const auto index = static_cast<std::size_t>(reason);
  return index < names.size() ? names[index] : quota::to_text(static_cast<quota::Reason>(index - names.size()));
}

Reports::Reports(ring::Ring& ring, const config::Log& config, log::Sink sink)
    : ring_(ring), config_(config), sink_(std::move(sink)) {}

Reports::~Reports() { tell_left_out(); }

void Reports::stop() {
  stopping_ = true;
  timer_.stop();
}

bool Reports::take(log::Throttle& throttle, std::uint32_t lines_per_s) {
  const std::uint64_t now_ns = ring_.now_ns();
  if (throttle.take(now_ns, lines_per_s)) return true;
  if (!stopping_ && !timer_.is_running()) ring_.timers().start(timer_, now_ns + left_out_after_ns);
  return false;
}

bool Reports::may_notice(Notice notice) const {
  return row_of(of_notices_, notice).may_take(ring_.now_ns(), notices_per_s);
}

bool Reports::notice(Notice notice, std::string_view text) {
  log::Throttle& throttle = row_of(of_notices_, notice);
  if (!take(throttle, notices_per_s)) return false;
  Fields fields;
  if (const std::uint64_t left_out = throttle.take_left_out(); left_out > 0) fields.add("left_out", left_out);
  sink_({.level = log::Level::warning, .event = name(notice), .sentence = text, .fields = fields.span()});
  return true;
}

void Reports::ended(const Account& account) {
  if (config_.sessions_per_s == 0 || !log::wants(log::Level::info)) return;
  log::Throttle& throttle = row_of(of_ends_, account.reason);
  if (!take(throttle, config_.sessions_per_s)) return;
  AccountFields fields(account);
  if (const std::uint64_t left_out = throttle.take_left_out(); left_out > 0) fields.add("left_out", left_out);
  sink_({.level = log::Level::info, .event = session_ended, .sentence = "session ended", .fields = fields.span()});
}

void Reports::denied(DenialReason reason, std::string_view method, std::string_view client) {
  if (config_.denials_per_s == 0 || !log::wants(log::Level::info)) return;
  log::Throttle& throttle = row_of(of_denials_, reason);
  if (!take(throttle, config_.denials_per_s)) return;
  Fields fields;
  fields.add("client", client);
  fields.add("reason", name(reason));
  if (!method.empty()) fields.add("method", method.substr(0, method_bytes_max));
  if (const std::uint64_t left_out = throttle.take_left_out(); left_out > 0) fields.add("left_out", left_out);
  sink_({.level = log::Level::info, .event = call_denied, .sentence = "call denied", .fields = fields.span()});
}

void Reports::tell_left_out() {
  for (std::size_t index = 0; index < notices; ++index) {
    tell_left_out(of_notices_[index], {log::Level::warning, name(static_cast<Notice>(index)), ""});
  }
  for (std::size_t index = 0; index < end_reasons; ++index) {
    tell_left_out(of_ends_[index], {log::Level::info, session_ended, name(static_cast<EndReason>(index))});
  }
  for (std::size_t index = 0; index < denial_reasons; ++index) {
    tell_left_out(of_denials_[index], {log::Level::info, call_denied, name(static_cast<DenialReason>(index))});
  }
}

void Reports::tell_left_out(log::Throttle& throttle, const Kind& kind) {
  const std::uint64_t left_out = throttle.take_left_out();
  if (left_out == 0) return;
  Fields fields;
  fields.add("of", kind.event);
  if (!kind.reason.empty()) fields.add("reason", kind.reason);
  fields.add("left_out", left_out);
  sink_({.level = kind.level, .event = "lines_left_out", .sentence = "lines were left out", .fields = fields.span()});
}

}  // namespace ringwall::session
