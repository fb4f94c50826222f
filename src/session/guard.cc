#include <ringwall/session/guard.h>

#include <ringwall/check.h>
#include <ringwall/limits.h>
#include <ringwall/session/client_address.h>

#include <algorithm>
#include <utility>

namespace ringwall::session {
namespace {

// What it costs to be told no.
constexpr std::uint64_t refusal_units = 1;
// What is read before its bytes are paid for, so that a refusal has the call's id.
constexpr std::size_t small_bytes_max = 1024;
// A longer name, or one with other characters than names have, is nobody's method.
constexpr std::size_t unknown_name_bytes_max = 64;

quota::Layout layout_of(const config::Limits& row) {
  const auto bits = [](std::uint32_t value) { return static_cast<std::uint8_t>(value); };
  return {.ipv4_address_bits = bits(row.ipv4_address_bits),
          .ipv6_address_bits = bits(row.ipv6_address_bits),
          .ipv4_network_bits = bits(row.ipv4_network_bits),
          .ipv6_network_bits = bits(row.ipv6_network_bits),
          .address_entries = row.address_entries,
          .network_entries = row.network_entries};
}

// A limit that time alone takes away, from what was refused.
bool is_rate(const quota::Decision& decision) { return decision.retry_after_ms > 0; }

rpc::Reason reason_of(const quota::Decision& decision) {
  if (is_rate(decision)) return rpc::Reason::rate_exceeded;
  if (decision.reason == quota::Reason::batch_calls) return rpc::Reason::batch_too_long;
  return decision.reason == quota::Reason::request_units ? rpc::Reason::cost_over_burst : rpc::Reason::limit_reached;
}

}  // namespace

rpc::MethodSettings method_settings(const config::Methods& row) {
  rpc::MethodSettings settings{.policy = row.policy,
                               .allow = row.allow,
                               .deny = row.deny,
                               .cheap_units = row.cheap_units,
                               .normal_units = row.normal_units,
                               .heavy_units = row.heavy_units,
                               .costs = {},
                               .runtime_apis = row.runtime_apis};
  for (const std::string& cost : row.costs) {
    const std::size_t equals = cost.find('=');
    settings.costs.push_back({cost.substr(0, equals), static_cast<std::uint32_t>(std::stoul(cost.substr(equals + 1)))});
  }
  return settings;
}

quota::Limits quota_limits(const config::Limits& row) {
  quota::Limits limits;
  limits.address = {.units = {row.address_units_per_s, row.address_units_burst},
                    .new_connections = {row.address_new_connections_per_s, row.address_new_connections_burst},
                    .connections_max = row.address_connections_max,
                    .subscriptions_max = row.address_subscriptions_max};
  limits.network = {.units = {row.network_units_per_s, row.network_units_burst},
                    .new_connections = {row.network_new_connections_per_s, row.network_new_connections_burst},
                    .connections_max = row.network_connections_max,
                    .subscriptions_max = row.network_subscriptions_max};
  limits.connection = {.units = {row.connection_units_per_s, row.connection_units_burst},
                       .subscriptions_max = row.connection_subscriptions_max,
                       .calls_in_flight_max = row.connection_calls_in_flight_max,
                       .batch_calls_max = row.batch_calls_max,
                       .close_after = row.close_after};
  limits.machine_units = {row.machine_units_per_s, row.machine_units_burst};
  for (const config::Cidr& range : row.exempt) limits.exempt.push_back({range.address, range.prefix_bits});
  return row.enabled == config::Switch::on ? limits : quota::lifted(limits);
}

std::shared_ptr<const rpc::MethodTable> make_methods(const config::Methods& row) {
  Result<rpc::MethodTable> table = rpc::MethodTable::make(method_settings(row));
  RINGWALL_CHECK(table.has_value());
  return std::make_shared<const rpc::MethodTable>(std::move(*table));
}

Rules::Rules(const config::Config& config, const quota::Seed& seed, std::uint64_t now_ns)
    : methods(make_methods(config.methods)),
      accounts(seed, layout_of(config.limits)),
      terms(quota::first_terms(quota_limits(config.limits), now_ns)) {}

Guard::Guard(Rules& rules, const config::Config& config)
    : admission(rules.accounts, rules.terms),
      rules_(rules),
      methods_(rules.methods),
      limits_(config.limits),
      inspector_(rpc::Inspector::Bounds{}),
      decisions_(rpc::batch_calls_max),
      reasons_(rpc::batch_calls_max),
      out_(rpc::batch_refusal_bytes_max(rpc::batch_calls_max)) {}

void Guard::adopt(std::shared_ptr<const rpc::MethodTable> methods, const quota::Terms& terms) {
  methods_ = std::move(methods);
  admission.adopt(terms);
}

std::size_t Guard::bytes_held() {
  return rpc::Inspector::bytes_held(rpc::Inspector::Bounds{}) + rpc::batch_refusal_bytes_max(rpc::batch_calls_max) +
         rpc::batch_calls_max * (sizeof(rpc::Decision) + sizeof(rpc::Reason)) +
         unknown_names_max * (unknown_name_bytes_max + 128) + CallCounters::bytes_held();
}

Ruling Guard::judge(std::span<const char> text, const Payer& payer, bool is_websocket, std::uint64_t now_ns) {
  ++counters.messages;
  (payer.client != nullptr ? *payer.client : payer.connection.client()).prefetch();
  const std::uint64_t bytes_per_unit = limits_.request_bytes_per_unit;
  std::uint64_t units = 0;
  if (bytes_per_unit != 0 && payer.unpaid_bytes != nullptr) {
    *payer.unpaid_bytes += text.size();
    units = *payer.unpaid_bytes / bytes_per_unit;
    *payer.unpaid_bytes %= bytes_per_unit;
  }
  if (units == 0 || text.size() <= small_bytes_max) return judge_paid(text, payer, is_websocket, units, now_ns);
  // To read it is work too, which a client that is over its rate is not to get for nothing.
  Ruling ruling{.request = {.units = units, .answers = 0}};
  const quota::Decision decision = charge_or_wait(payer, is_websocket, ruling, now_ns);
  if (decision.given) return judge_paid(text, payer, is_websocket, 0, now_ns);
  ruling.is_unread = ruling.may_wait;
  return ruling.may_wait ? ruling : refuse({}, decision);
}

Ruling Guard::judge_paid(std::span<const char> text, const Payer& payer, bool is_websocket, std::uint64_t more_units,
                         std::uint64_t now_ns) {
  const auto read = inspector_.inspect(text);
  if (!read) {
    ++(read.error().is_long_batch ? counters.batches_refused : counters.unreadable);
    const quota::Decision decision = charge(payer, {.units = refusal_units + more_units, .answers = 0}, now_ns);
    if (!decision.given) return refuse({}, decision);
    return {.reply = {out_.data(), rpc::write_bad_message(out_, read.error())}};
  }
  const bool all_pass = decide(*read);
  Ruling ruling = price(*read, is_websocket);
  if (!all_pass) {
    // It pays for each entry that it is told about.
    const auto entries = static_cast<std::uint32_t>(read->calls.size());
    const quota::Request request{.units = entries * refusal_units + more_units, .calls = entries, .answers = 0};
    if (const quota::Decision decision = charge(payer, request, now_ns); !decision.given) {
      return refuse(ruling, decision);
    }
    return deny(*read, ruling);
  }
  ruling.request.units += more_units;
  const quota::Decision decision = charge_or_wait(payer, is_websocket, ruling, now_ns);
  return decision.given ? pass(ruling) : ruling.may_wait ? ruling : refuse(ruling, decision);
}

// What decide() has denied.
Ruling Guard::deny(const rpc::Inspection& read, Ruling ruling) {
  const std::size_t entries = read.calls.size();
  for (std::size_t index = 0; index < entries; ++index) count_denied(read.calls[index], decisions_[index]);
  if (read.is_batch) ++counters.batches_refused;
  ruling.reply = write_refusals(ruling, std::span(reasons_).first(entries), 0);
  return ruling;
}

// With limits.action = delay a request over a rate is not refused yet: `ruling` says that it may wait.
quota::Decision Guard::charge_or_wait(const Payer& payer, bool is_websocket, Ruling& ruling, std::uint64_t now_ns) {
  if (!is_websocket || limits_.action != config::OverRate::delay) return charge(payer, ruling.request, now_ns);
  const quota::Decision decision = admission.try_charge(payer.connection, ruling.request, now_ns);
  if (!decision.given && is_rate(decision)) {
    ruling.over_rate = ruling.may_wait = true;
    ruling.decision = decision;
  } else if (!decision.given) {
    admission.give_up(payer.connection, decision);
  }
  return decision;
}

Ruling Guard::settle(std::span<const char> text, bool is_unread, quota::Connection& connection,
                     const quota::Decision& decision) {
  if (!decision.given) admission.give_up(connection, decision);
  if (is_unread) {
    RINGWALL_CHECK(!decision.given);
    return refuse({}, decision);
  }
  const auto read = inspector_.inspect(text);
  RINGWALL_CHECK(read.has_value());
  const bool all_pass = decide(*read);
  const Ruling ruling = price(*read, true);
  if (!decision.given) return refuse(ruling, decision);
  if (all_pass) return pass(ruling);
  // Which methods there are, and what they do, no reload changes: it holds what it would be priced at now.
  admission.answered(connection, ruling.request.answers);
  admission.unsubscribed(connection, ruling.request.subscriptions);
  return deny(*read, ruling);
}

// Of a message whose calls are decided: what they cost, and how many the node will answer.
Ruling Guard::price(const rpc::Inspection& read, bool is_websocket) const {
  const std::size_t calls = read.calls.size();
  Ruling ruling{.request = {.calls = static_cast<std::uint32_t>(calls), .answers = 0},
                .is_batch = read.is_batch,
                .calls = read.calls,
                .decisions = std::span(decisions_).first(calls)};
  for (std::size_t index = 0; index < calls; ++index) {
    ruling.request.units += decisions_[index].cost_units;
    if (!is_websocket || read.calls[index].form != rpc::Call::Form::call) continue;
    ++ruling.request.answers;
    ruling.request.subscriptions += decisions_[index].kind == rpc::Kind::subscribe ? 1 : 0;
  }
  if (asks_methods(ruling)) ruling.request.answers = 0;  // the answer is ours
  return ruling;
}

bool Guard::asks_methods(const Ruling& ruling) const {
  return !ruling.is_batch && ruling.decisions.front().method == methods_->methods_call();
}

Ruling Guard::pass(Ruling ruling) {
  counters.calls += ruling.calls.size();
  ruling.kind = asks_methods(ruling) ? Ruling::Kind::tell_methods : Ruling::Kind::forward;
  count_calls(ruling.kind == Ruling::Kind::forward ? Verdict::forwarded : Verdict::answered, ruling);
  return ruling;
}

std::string_view Guard::tell(const Ruling& ruling, std::string_view result) {
  if (out_.size() < result.size() + rpc::refusal_bytes_max) out_.resize(result.size() + rpc::refusal_bytes_max);
  return {out_.data(), rpc::write_result(out_, ruling.calls.front(), result)};
}

// Fills in decisions_, and reasons_ for the answer if there is one call that may not pass: then false.
bool Guard::decide(const rpc::Inspection& read) {
  bool all_pass = true;
  for (std::size_t index = 0; index < read.calls.size(); ++index) {
    decisions_[index] = methods_->decide(read.calls[index]);
    reasons_[index] = rpc::reason_of(decisions_[index].verdict);
    all_pass = all_pass && decisions_[index].verdict == rpc::Verdict::allowed;
  }
  return all_pass;
}

void Guard::count_calls(Verdict verdict, const Ruling& ruling) {
  for (const rpc::Decision& decision : ruling.decisions) call_counters.count(verdict, decision.method);
}

void Guard::count_denied(const rpc::Call& call, const rpc::Decision& decision) {
  switch (decision.verdict) {
    case rpc::Verdict::allowed:
      return call_counters.count(Verdict::batch_refused, decision.method);
    case rpc::Verdict::unsafe_:
      ++counters.unsafe_calls;
      return call_counters.count(Verdict::unsafe_, decision.method);
    case rpc::Verdict::not_offered:
      ++counters.not_offered;
      if (decision.is_unknown) count_unknown(call.method);
      return call_counters.count(Verdict::not_offered, decision.method);
    case rpc::Verdict::invalid:
      ++counters.invalid;
      return call_counters.count(Verdict::invalid, decision.method);
  }
}

void Guard::count_unknown(std::string_view method) {
  const auto is_plain = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '.' ||
           c == '-';
  };
  if (method.empty() || method.size() > unknown_name_bytes_max || !std::ranges::all_of(method, is_plain)) return;
  if (const auto at = unknown_.find(method); at != unknown_.end()) {
    ++at->second;
  } else if (unknown_.size() < unknown_names_max) {
    new_unknown_.push_back(&unknown_.emplace(method, 1).first->first);
  } else {
    ++counters.unknown_unnamed;
  }
}

std::string Guard::new_unknown_names() const {
  std::string text;
  for (const std::string* name : new_unknown_) text += (text.empty() ? "\"" : ", \"") + *name + "\"";
  return text;
}

quota::Decision Guard::charge(const Payer& payer, const quota::Request& request, std::uint64_t now_ns) {
  return payer.client != nullptr ? admission.charge(*payer.client, request, now_ns)
                                 : admission.charge(payer.connection, request, now_ns);
}

// For a limit. What could not be read is answered as a whole, and so is a batch of which little need be sent for much
// to be told: one with entries that are no calls, or with more than a batch may have.
Ruling Guard::refuse(const Ruling& ruling, const quota::Decision& decision) {
  count_calls(Verdict::over_limit, ruling);
  Ruling refused = ruling;
  refused.over_rate = is_rate(decision);
  refused.retry_after_ms = decision.retry_after_ms;
  refused.decision = decision;
  const rpc::Reason reason = reason_of(decision);
  const auto is_no_call = [](const rpc::Call& call) { return call.form == rpc::Call::Form::invalid; };
  if (ruling.calls.empty() || (ruling.is_batch && (decision.reason == quota::Reason::batch_calls ||
                                                   std::ranges::any_of(ruling.calls, is_no_call)))) {
    static constexpr rpc::Call whole{.form = rpc::Call::Form::invalid, .method = {}, .id = rpc::null_id, .params = {}};
    refused.reply = {out_.data(), rpc::write_refusal(out_, whole, reason, decision.retry_after_ms)};
    return refused;
  }
  const std::span<rpc::Reason> reasons = std::span(reasons_).first(ruling.calls.size());
  std::ranges::fill(reasons, reason);
  refused.reply = write_refusals(ruling, reasons, decision.retry_after_ms);
  return refused;
}

std::string_view Guard::write_refusals(const Ruling& ruling, std::span<const rpc::Reason> reasons,
                                       std::uint32_t retry_after_ms) {
  const std::size_t bytes = ruling.is_batch
                                ? rpc::write_batch_refusal(out_, ruling.calls, reasons, retry_after_ms)
                                : rpc::write_refusal(out_, ruling.calls.front(), reasons.front(), retry_after_ms);
  return {out_.data(), bytes};
}

bool Guard::lets_in(const quota::AddressBytes& address) const {
  return !(bans_ && bans_->contains(address)) && !is_in(address, limits_.deny) &&
         (limits_.allow.empty() || is_in(address, limits_.allow));
}

}  // namespace ringwall::session
