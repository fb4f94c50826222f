#include "load/verdict.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <functional>
#include <span>
#include <utility>

#include "load/json_text.h"
#include "load/quantity.h"
#include "load/unreached.h"

namespace ringwall::load {

namespace {

bool makes_calls(Mode mode) { return mode == Mode::calls || mode == Mode::hostile; }

// What a mode tries, an answer is a success of: in handshake mode a whole connection is one. Connections are opened
// before the measured time too, so that they are counted where they are held alone.
bool has_answers(Mode mode) { return makes_calls(mode) || mode == Mode::handshake; }

std::uint64_t count_of(const Troubles& troubles, Trouble trouble) {
  return troubles.counts[static_cast<std::size_t>(trouble)];
}

std::uint64_t unanswered(Mode mode, const Troubles& troubles) {
  if (mode == Mode::subscribe) return 0;
  if (!makes_calls(mode)) {
    return count_of(troubles, Trouble::connect_timeout) + count_of(troubles, Trouble::answer_timeout);
  }
  return count_of(troubles, Trouble::answer_timeout) + count_of(troubles, Trouble::answer_lost) +
         count_of(troubles, Trouble::send_late);
}

// How an endpoint says that it limits its callers, or has no room: how a text begins, and its short name.
using Sign = std::pair<std::string_view, std::string_view>;
constexpr std::array<Sign, 4> signs_of_limits{{{"rpc_error: -32999", "-32999"},
                                               {"upgrade: 429", "429"},
                                               {"http_status: 429", "429"},
                                               {"connection_closed: Close 1008", "1008"}}};
constexpr std::array<Sign, 2> signs_of_no_room{{{"upgrade: 503", "503"}, {"http_status: 503", "503"}}};

// "8,123 of 8,200 errors are -32999, 429": where half of the errors or more have such texts, those aside that follow
// from others.
std::optional<std::string> led_by(const Troubles& troubles, std::span<const Sign> signs) {
  std::uint64_t found = 0;
  std::string names;
  for (const auto& [begins, name] : signs) {
    std::uint64_t here = 0;
    for (const auto& [text, times] : troubles.texts) here += text.starts_with(begins) ? times : 0;
    if (here > 0 && names.find(name) == std::string::npos) names += (names.empty() ? "" : ", ") + std::string(name);
    found += here;
  }
  const std::uint64_t follow = count_of(troubles, Trouble::answer_lost) + count_of(troubles, Trouble::send_late);
  if (found == 0 || found * 2 < troubles.total() - follow) return std::nullopt;
  return fmt::format("{} of {} errors are {}", count_text(found), count_text(troubles.total()), names);
}

std::string nothing_came(const Plan& plan, const Outcome& outcome) {
  constexpr std::array<std::string_view, 5> what = {"call was answered well", "connection was made",
                                                    "connection was opened", "notification came",
                                                    "call was answered well"};
  const auto measured_ns = static_cast<std::uint64_t>(outcome.measured_s * 1e9);
  std::string text = fmt::format("No {} in {}, so nothing was measured", what[static_cast<std::size_t>(plan.mode)],
                                 duration_text(measured_ns));
  const Troubles& troubles = outcome.tally.troubles;
  if (const std::string advised = advice(plan, troubles); troubles.total() > 0 && !advised.empty()) {
    return text + ": " + advised + ".";
  }
  return text + (plan.mode == Mode::subscribe && troubles.total() == 0 ? ": a longer --duration may see one." : ".");
}

// Whether this program or its machine was at its end. The limit it was only where more was to come, and where no errors
// say why it did not.
void remark_busy(const Plan& plan, const Outcome& outcome, bool is_missed, std::vector<std::string>& said) {
  const double own = own_busy_share(plan, outcome);
  const bool may_be_limit = error_share(plan.mode, outcome.tally) <= 1 - rate_kept_share;
  if (own >= busy_share_limit && may_be_limit && (is_missed || !plan.rate)) {
    said.push_back(
        fmt::format("ringwall-bench itself was the limit: its threads were {:.0f} % busy. More --threads or "
                    "another machine would show what the endpoint can do.",
                    own * 100));
  } else if (own >= busy_share_limit) {
    said.push_back(
        fmt::format("ringwall-bench was busy: its threads were {:.0f} % busy, and latencies are in part its own. More "
                    "--threads or another machine would show the endpoint's.",
                    own * 100));
  } else if (outcome.machine_busy_share >= busy_share_limit) {
    said.push_back(fmt::format("This machine was {}: its cores were {:.0f} % busy, with all that runs on it{}.",
                               may_be_limit && is_missed ? "the limit" : "busy", outcome.machine_busy_share * 100,
                               may_be_limit && is_missed ? "" : ", so that figures may be worse than the endpoint is"));
  }
}

}  // namespace

MainLatency main_latency(Mode mode, const Tally& tally) {
  switch (mode) {
    case Mode::calls:
    case Mode::hostile:
      return {"calls", tally.latency};
    case Mode::handshake:
      return {"connections, to 101 (POST: answer)", tally.latency};
    case Mode::idle:
      return {"connecting", tally.connect};
    case Mode::subscribe:
      return {"spread of notifications", tally.spread};
  }
  return {"calls", tally.latency};
}

double error_share(Mode mode, const Tally& tally) {
  const auto errors = static_cast<double>(tally.troubles.total());
  const auto good = static_cast<double>(has_answers(mode) ? tally.flow.answers : tally.flow.connections_opened);
  return errors == 0 ? 0 : errors / (errors + good);
}

std::uint64_t answers_of_any_kind(const Tally& tally) {
  const Troubles& troubles = tally.troubles;
  return tally.flow.answers_in_time + count_of(troubles, Trouble::rpc_error) +
         count_of(troubles, Trouble::http_status) + count_of(troubles, Trouble::answer_length);
}

bool has_measured(Mode mode, const Tally& tally) {
  if (has_answers(mode)) return tally.flow.answers > 0;
  if (mode == Mode::subscribe) return tally.flow.notifications > 0;
  return tally.flow.connections_opened > 0 || tally.latency.count() > 0;
}

double rate_of(Mode mode, const Outcome& outcome) {
  if (outcome.measured_s <= 0) return 0;
  const Flow& flow = outcome.tally.flow;
  const std::uint64_t done = has_answers(mode)         ? flow.answers_in_time
                             : mode == Mode::subscribe ? flow.notifications
                                                       : flow.connections_opened;
  return static_cast<double>(done) / outcome.measured_s;
}

double kept_rate(const Outcome& outcome) {
  const double answered_s = outcome.measured_s - static_cast<double>(outcome.tally.latency.min_ns()) / 1e9;
  return answered_s <= 0 ? 0 : static_cast<double>(outcome.tally.flow.answers_in_time) / answered_s;
}

double own_busy_share(const Plan& plan, const Outcome& outcome) {
  return outcome.measured_s <= 0 ? 0 : outcome.threads_cpu_us / (outcome.measured_s * 1e6 * plan.threads);
}

std::optional<std::uint64_t> judged_p99_ns(Mode mode, const Tally& tally) {
  const Histogram& answered = main_latency(mode, tally).histogram;
  const std::uint64_t lost = unanswered(mode, tally.troubles);
  if (lost == 0) return answered.percentile_ns(99);
  const std::uint64_t rank = ((answered.count() + lost) * 99 + 99) / 100;
  if (rank > answered.count()) return std::nullopt;
  return answered.percentile_ns(100 * static_cast<double>(rank) / static_cast<double>(answered.count()));
}

std::vector<Judged> judge(const Thresholds& thresholds, Mode mode, const Tally& tally) {
  std::vector<Judged> judged;
  if (thresholds.p99_ns) {
    // Of one subscriber there is no spread, whatever it hears.
    const bool is_measured = has_measured(mode, tally) && main_latency(mode, tally).histogram.count() > 0;
    const std::optional<std::uint64_t> p99_ns = judged_p99_ns(mode, tally);
    judged.push_back({.threshold = "p99 at most " + duration_text(*thresholds.p99_ns),
                      .found = !is_measured ? "nothing"
                               : p99_ns     ? duration_text(*p99_ns)
                                            : "more than 1 % without an answer",
                      .held = is_measured && p99_ns && *p99_ns <= *thresholds.p99_ns});
  }
  if (thresholds.error_share) {
    const double share = error_share(mode, tally);
    judged.push_back({.threshold = "errors at most " + share_text(*thresholds.error_share),
                      .found = share_text(share),
                      .held = share <= *thresholds.error_share});
  }
  return judged;
}

std::optional<Judged> judge_connections(const Thresholds& thresholds, const Plan& plan, const Outcome& outcome) {
  const bool holds = plan.mode == Mode::idle || plan.mode == Mode::subscribe;
  if (!holds || thresholds.error_share) return std::nullopt;
  return Judged{.threshold = fmt::format("all {} connections open at the end", count_text(plan.connections)),
                .found = count_text(outcome.connections_open),
                .held = outcome.connections_open >= plan.connections};
}

std::string leading_errors(const Troubles& troubles) {
  constexpr std::size_t told_max = 2, text_bytes_max = 60;
  std::vector<std::pair<std::uint64_t, std::string_view>> kinds;
  for (std::size_t kind = 0; kind < trouble_count; ++kind) {
    if (troubles.counts[kind] > 0) kinds.emplace_back(troubles.counts[kind], name(static_cast<Trouble>(kind)));
  }
  std::ranges::stable_sort(kinds, std::greater{}, &decltype(kinds)::value_type::first);
  std::string out;
  for (std::size_t at = 0; at < std::min(kinds.size(), told_max); ++at) {
    const std::string begins = std::string(kinds[at].second) + ": ";
    std::pair<std::uint64_t, std::string_view> most{};
    for (const auto& [text, times] : troubles.texts) {
      if (text.starts_with(begins) && times > most.first) most = {times, text};
    }
    out += fmt::format("{}{} {}", at == 0 ? "" : ", ", kinds[at].second, count_text(kinds[at].first));
    if (most.first > 0) out += fmt::format(" ({})", excerpt(most.second.substr(begins.size()), text_bytes_max));
  }
  return out;
}

std::vector<std::string> error_remarks(const Troubles& troubles) {
  std::vector<std::string> said;
  if (const auto limited = led_by(troubles, signs_of_limits)) {
    said.push_back(
        fmt::format("The endpoint limits its callers: {}. To see what it can do, exempt this machine "
                    "(Ringwall: limits.exempt, or --limits off), or call from many addresses (--source).",
                    *limited));
  }
  if (const auto full = led_by(troubles, signs_of_no_room)) {
    said.push_back(
        fmt::format("The endpoint, or the node behind it, takes no more connections: {}. A node takes 100 "
                    "(--rpc-max-connections) unless it is told otherwise.",
                    *full));
  }
  if (const std::uint64_t late = count_of(troubles, Trouble::send_late); late > 0) {
    said.push_back(
        fmt::format("{} calls were never sent (send_late): no connection was open with room for them in time. They are "
                    "errors, but not among those sent.",
                    count_text(late)));
  }
  return said;
}

std::vector<std::string> remarks(const Plan& plan, const Outcome& outcome) {
  std::vector<std::string> said;
  if (outcome.interrupted) said.push_back("The run was ended early; the figures are of what was seen until then.");
  const Flow& flow = outcome.tally.flow;
  if (flow.calls_unanswered > 0) {
    said.push_back(fmt::format("{} calls were unanswered when it was ended: they count neither as sent nor as errors.",
                               count_text(flow.calls_unanswered)));
  }
  if (!has_measured(plan.mode, outcome.tally)) said.push_back(nothing_came(plan, outcome));
  if (outcome.connections_begun_with) {
    said.push_back(fmt::format("The run began with {} of {} connections open: no other was opened within --timeout.",
                               count_text(*outcome.connections_begun_with), count_text(plan.connections)));
  }
  if (const FanOut& fan_out = outcome.fan_out; fan_out.copies < fan_out.copies_wanted) {
    said.push_back(
        fmt::format("{} of {} copies came of the notifications that several subscribers heard: the others did not "
                    "reach a subscriber that was there.",
                    count_text(fan_out.copies), count_text(fan_out.copies_wanted)));
  }
  const double wanted = plan.rate ? (plan.rate->from + plan.rate->to) / 2 : 0;
  const double reached = kept_rate(outcome);
  const bool is_missed = plan.rate && !outcome.interrupted && plan.calls_max == 0 && reached < rate_kept_share * wanted;
  remark_busy(plan, outcome, is_missed, said);
  if (is_missed) {
    said.push_back(
        fmt::format("Only {} of {} calls a second were answered well.", rate_text(reached), rate_text(wanted)));
  }
  for (std::string& each : error_remarks(outcome.tally.troubles)) said.push_back(std::move(each));
  if (plan.mode == Mode::hostile && plan.sources.size() < 2) {
    said.push_back(
        "All clients had the same source address: an endpoint that limits addresses can't tell the innocent from the "
        "hostile. With --source 127.0.0.0/24 the hostile have the upper half to themselves.");
  }
  if (plan.mode != Mode::handshake && outcome.connections_open < plan.connections && !outcome.interrupted) {
    said.push_back(fmt::format("{} of {} connections were open at the end.", count_text(outcome.connections_open),
                               count_text(plan.connections)));
  }
  return said;
}

}  // namespace ringwall::load
