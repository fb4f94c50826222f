#include <fmt/core.h>

#include <algorithm>
#include <functional>

#include "load/json_text.h"
#include "load/mix.h"
#include "load/quantity.h"
#include "load/report.h"
#include "load/target.h"
#include "load/text_grid.h"

namespace ringwall::load {

namespace {

constexpr std::size_t label_width = 16;
constexpr unsigned columns_min = 80;

// A label, and what is said of it; what is too long goes on below itself.
std::string labelled(std::string_view label, std::string_view text, std::size_t columns) {
  std::string out(label);
  out += std::string(label_width - std::min(label_width - 1, width_of(label)), ' ');
  std::size_t used = label_width;
  for (bool is_first = true; !text.empty(); is_first = false) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!is_first && used + 1 + width_of(word) > columns) {
      out += "\n" + std::string(label_width, ' ');
      used = label_width;
    } else if (!is_first) {
      out += ' ';
      ++used;
    }
    out += word;
    used += width_of(word);
  }
  return out + "\n";
}

std::string what_was_run(const Report& report) {
  const Asked& asked = report.asked;
  const Plan& plan = asked.plan;
  std::string work(name(plan.mode));
  if (plan.mode == Mode::hostile) {
    work = fmt::format("{} {} clients beside the calls of {}", plan.hostile_connections, name(plan.hostility),
                       asked.mix_name);
  } else if (plan.mode == Mode::calls) {
    work = "calls of " + excerpt(asked.mix_name, 60);
  } else if (plan.mode == Mode::subscribe) {
    work = "subscribers of " + excerpt(plan.subscribe_method, 60);
  } else if (plan.tls.resume) {
    work += ", resumed";
  }
  return work + (plan.target.post ? ", POST" : ", WebSocket");
}

std::string how_much(const Report& report) {
  const Plan& plan = report.asked.plan;
  std::string loop;
  if (plan.mode == Mode::calls || plan.mode == Mode::hostile) {
    if (!plan.rate) {
      loop = fmt::format(", {} in flight on each, closed loop", plan.depth);
    } else if (plan.rate->from == plan.rate->to) {
      loop = fmt::format(", open loop at {}/s", rate_text(plan.rate->from));
    } else {
      loop = fmt::format(", open loop from {} to {}/s", rate_text(plan.rate->from), rate_text(plan.rate->to));
    }
  }
  return fmt::format("{} connections{}, {} {}, {} measured, {} warm-up", count_text(plan.connections), loop,
                     plan.threads, plan.threads == 1 ? "thread" : "threads",
                     duration_text(static_cast<std::uint64_t>(report.outcome.measured_s * 1e9)),
                     duration_text(plan.warmup_ns));
}

std::vector<std::string> row(const std::string& name, std::uint64_t count, double rate, const Histogram& histogram,
                             std::uint64_t errors) {
  const auto percentile = [&](double percent) {
    return histogram.count() == 0 ? "-" : duration_text(histogram.percentile_ns(percent));
  };
  return {name,           count_text(count), rate_text(rate), percentile(50),    percentile(90),
          percentile(99), percentile(99.9),  percentile(100), count_text(errors)};
}

std::string call_rows(const Report& report, std::size_t columns) {
  const Tally& tally = report.outcome.tally;
  const double seconds = std::max(report.outcome.measured_s, 1e-9);
  const Mode mode = report.asked.plan.mode;
  const auto main = main_latency(mode, tally);
  const bool is_calls = mode == Mode::calls || mode == Mode::hostile;
  const std::uint64_t count = is_calls ? tally.flow.calls_sent : main.histogram.count();
  const double rate = mode == Mode::subscribe || mode == Mode::idle ? static_cast<double>(count) / seconds
                                                                    : rate_of(mode, report.outcome);
  TextGrid grid({is_calls ? "call" : "what", is_calls ? "sent" : "count", is_calls ? "answers/s" : "per s", "p50",
                 "p90", "p99", "p99.9", "max", "errors"},
                {4, 6});
  grid.add(row(is_calls ? "all" : std::string(main.of), count, rate, main.histogram, tally.troubles.total()));
  std::vector<const CallTally*> calls;
  for (const CallTally& call : tally.calls) calls.push_back(&call);
  std::ranges::stable_sort(calls, std::greater{}, &CallTally::sent);
  for (const CallTally* call : calls) {
    if (!is_calls || calls.size() < 2) break;
    grid.add(row("  " + excerpt(call->name), call->sent, static_cast<double>(call->answers_in_time) / seconds,
                 call->latency, call->errors));
  }
  return grid.text(columns);
}

std::string connection_lines(const Report& report, std::size_t columns) {
  const Outcome& outcome = report.outcome;
  const Flow& flow = outcome.tally.flow;
  std::string out = labelled("connections",
                             fmt::format("{} opened, {} open at the end", count_text(flow.connections_opened),
                                         count_text(outcome.connections_open)),
                             columns);
  if (flow.handshakes > 0) {
    out += labelled(
        "TLS handshakes",
        fmt::format("{}, {} of them resumed", count_text(flow.handshakes), count_text(flow.handshakes_resumed)),
        columns);
  }
  const Histogram& connect = outcome.tally.connect;
  if (connect.count() > 0 && report.asked.plan.mode != Mode::idle) {
    out += labelled("connecting",
                    fmt::format("p50 {}, p99 {}, max {}", duration_text(connect.percentile_ns(50)),
                                duration_text(connect.percentile_ns(99)), duration_text(connect.max_ns())),
                    columns);
  }
  if (flow.notifications > 0) {
    const FanOut& fan_out = outcome.fan_out;
    std::string text = count_text(flow.notifications);
    if (fan_out.copies_wanted > 0) {
      text += fmt::format(", {} of {} copies of the same came", count_text(fan_out.copies),
                          count_text(fan_out.copies_wanted));
    }
    out += labelled("notifications", text, columns);
  }
  return out + labelled("payload",
                        fmt::format("{} sent, {} received", bytes_text(static_cast<double>(flow.bytes_sent)),
                                    bytes_text(static_cast<double>(flow.bytes_received))),
                        columns);
}

// The work that CPU is divided by, and its name; idle connections make none, and hostile clients cost more than what
// is answered beside them.
std::pair<std::uint64_t, std::string_view> work(const Report& report) {
  const Flow& flow = report.outcome.tally.flow;
  switch (report.asked.plan.mode) {
    case Mode::calls:
      return {answers_of_any_kind(report.outcome.tally), "a call"};
    case Mode::handshake:
      return {flow.answers_in_time, "a connection"};
    case Mode::subscribe:
      return {flow.notifications, "a notification"};
    case Mode::idle:
    case Mode::hostile:
      break;
  }
  return {0, ""};
}

std::string cpu_text(double us, const Report& report) {
  const auto [count, of] = work(report);
  if (count == 0) return duration_text(static_cast<std::uint64_t>(us * 1e3)) + " CPU";
  const double each_us = us / static_cast<double>(count);
  if (each_us < 999.5) return fmt::format("{:.3g} µs CPU {}", each_us, of);
  return fmt::format("{} CPU {}", duration_text(static_cast<std::uint64_t>(each_us * 1e3)), of);
}

std::string use_lines(const Report& report, std::size_t columns) {
  const Outcome& outcome = report.outcome;
  const TargetUse& use = outcome.target;
  std::string out;
  if (use.known) {
    const double cpu_us = use.cpu_user_us + use.cpu_system_us;
    std::string text = cpu_text(cpu_us, report);
    if (cpu_us > 0) text += fmt::format(" ({:.0f} % in the kernel)", use.cpu_system_us / cpu_us * 100);
    const std::uint64_t open = outcome.connections_open + outcome.hostile_connections_open;
    const double grown = static_cast<double>(use.rss_after_bytes) - static_cast<double>(use.rss_before_bytes);
    text +=
        fmt::format(", memory {} before, {} with {} connections", bytes_text(static_cast<double>(use.rss_before_bytes)),
                    bytes_text(static_cast<double>(use.rss_after_bytes)), count_text(open));
    // Beside hostile clients, most of it is for connections that have come and gone.
    const bool is_theirs = report.asked.plan.mode != Mode::hostile;
    if (is_theirs && open > 0 && grown > 0)
      text += fmt::format(" ({} each)", bytes_text(grown / static_cast<double>(open)));
    out += labelled("the endpoint", text, columns);
  } else if (report.asked.pid != 0) {
    out += labelled("the endpoint",
                    fmt::format("process {} could not be watched: it ended, or is another user's", report.asked.pid),
                    columns);
  }
  return out +
         labelled("this program",
                  fmt::format("{}, threads {:.0f} % busy; the machine {:.0f} %", cpu_text(outcome.own_cpu_us, report),
                              own_busy_share(report.asked.plan, outcome) * 100, outcome.machine_busy_share * 100),
                  columns);
}

std::string hostile_text(const Report& report) {
  const Outcome& outcome = report.outcome;
  const Flow& flow = outcome.hostile.flow;
  std::string text = fmt::format("{} connections tried, {} opened, {} ended by the endpoint, {} held at the end",
                                 count_text(flow.connections_tried), count_text(flow.connections_opened),
                                 count_text(flow.connections_cut), count_text(outcome.hostile_connections_held));
  if (report.asked.plan.hostility == Hostility::slow_readers) {
    text += fmt::format("; it has stopped sending to {} of those", count_text(outcome.hostile_senders_stopped));
  } else if (report.asked.plan.hostility == Hostility::tls_handshakes) {
    text += fmt::format("; {} hellos answered", count_text(flow.answers));
  }
  return text;
}

std::string trouble_lines(const Troubles& troubles, std::string_view label, std::size_t columns) {
  if (troubles.total() == 0) return "";
  std::string out = fmt::format("\n{}\n", label);
  for (std::size_t kind = 0; kind < trouble_count; ++kind) {
    if (troubles.counts[kind] == 0) continue;
    const auto trouble = static_cast<Trouble>(kind);
    out +=
        shortened(fmt::format("{:>12}  {:<18}  {}", count_text(troubles.counts[kind]), name(trouble), meaning(trouble)),
                  columns) +
        "\n";
  }
  std::vector<std::pair<std::uint64_t, std::string>> texts;
  for (const auto& [text, count] : troubles.texts) texts.emplace_back(count, text);
  std::ranges::stable_sort(texts, std::greater{}, &std::pair<std::uint64_t, std::string>::first);
  constexpr std::size_t texts_shown = 8;
  if (!texts.empty()) out += "what was said\n";
  for (std::size_t at = 0; at < std::min(texts.size(), texts_shown); ++at) {
    out += shortened(fmt::format("{:>12}  {}", count_text(texts[at].first), excerpt(texts[at].second, 4 * columns)),
                     columns) +
           "\n";
  }
  return out;
}

std::string search_lines(const Report& report, std::size_t columns) {
  if (!report.found) return "";
  std::string out = "\nsearch\n";
  for (const Step& step : report.found->steps) out += step_line(step);
  if (report.found->broken) {
    const Step& step = report.found->steps[*report.found->broken];
    out += trouble_lines(step.seen.troubles, fmt::format("errors of the step at {}/s", rate_text(step.rate)), columns);
    if (step.seen.troubles.total() > 0) out += "\n";
  }
  const auto best = report.found->best;
  return out +
         labelled("highest rate", best ? rate_text(report.found->steps[*best].rate) + "/s" : "none held", columns) +
         labelled("", report.found->limit, columns);
}

}  // namespace

std::string step_line(const Step& step) {
  return fmt::format("{:>12}/s  {}  p99 {}, errors {}, own threads {:.0f} % busy{}\n", rate_text(step.rate),
                     step.held() ? "held    " : "not held", duration_text(step.seen.p99_ns),
                     share_text(step.seen.error_share), step.seen.own_busy_share * 100,
                     step.held() ? "" : ": " + step.broken);
}

std::string table(const Report& report, unsigned columns) {
  columns = std::max(columns, columns_min);
  std::string addresses;
  for (const ring::SocketAddress& address : report.asked.plan.target.addresses)
    addresses += " " + address_text(address);
  std::string out =
      labelled("endpoint", shortened(report.asked.plan.target.url + ":" + addresses, columns - label_width), columns);
  out += labelled("run", what_was_run(report), columns) + labelled("", how_much(report), columns) + "\n";
  out += call_rows(report, columns) + "\n" + connection_lines(report, columns) + use_lines(report, columns);
  if (report.asked.plan.mode == Mode::hostile) {
    out += labelled("hostile clients", hostile_text(report), columns);
  }
  out += trouble_lines(report.outcome.tally.troubles, "errors", columns);
  out += trouble_lines(report.outcome.hostile.troubles, "what the hostile clients met", columns);
  out += search_lines(report, columns);
  for (const std::string& remark : report.remarks) out += "\n" + labelled("note", remark, columns);
  if (!report.judged.empty()) out += "\n";
  for (const Judged& judged : report.judged) {
    out += labelled(judged.held ? "held" : "NOT HELD", judged.threshold + ": " + judged.found, columns);
  }
  return out;
}

}  // namespace ringwall::load
