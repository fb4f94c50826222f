#include <array>
#include <nlohmann/json.hpp>

#include "load/mix.h"
#include "load/report.h"
#include "load/target.h"

namespace ringwall::load {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<double, 9> plotted_from = {0, 10, 20, 30, 40, 50, 60, 70, 80};

// For plots with a logarithmic axis of 1 / (1 - share): ten points for every power of ten that there are values for.
Json percentiles(const Histogram& histogram) {
  Json list = Json::array();
  const auto point = [&](double percent) { list.push_back({percent, histogram.percentile_ns(percent)}); };
  if (histogram.count() == 0) return list;
  for (const double percent : plotted_from) point(percent);
  constexpr std::array<double, 10> within = {10, 9, 8, 7, 6, 5, 4, 3, 2, 1.5};
  const double beyond_min = 100 / static_cast<double>(histogram.count());
  for (double decade = 1; decade * 10 >= beyond_min && decade >= 1e-7; decade /= 10) {
    for (const double step : within) {
      if (step * decade >= beyond_min) point(100 - step * decade);
    }
  }
  point(100);
  return list;
}

Json latency(const Histogram& histogram) {
  Json out = {{"count", histogram.count()}, {"min", histogram.min_ns()}, {"mean", histogram.mean_ns()}};
  constexpr std::array<std::pair<const char*, double>, 7> named = {
      {{"p50", 50}, {"p75", 75}, {"p90", 90}, {"p95", 95}, {"p99", 99}, {"p999", 99.9}, {"p9999", 99.99}}};
  for (const auto& [key, percent] : named) out[key] = histogram.percentile_ns(percent);
  out["max"] = histogram.max_ns();
  out["percentiles"] = percentiles(histogram);
  return out;
}

Json flow(const Flow& flow) {
  return {{"calls_sent", flow.calls_sent},           {"answers", flow.answers},
          {"answers_in_time", flow.answers_in_time}, {"calls_unanswered", flow.calls_unanswered},
          {"notifications", flow.notifications},     {"connections_tried", flow.connections_tried},
          {"connections_cut", flow.connections_cut}, {"connections_opened", flow.connections_opened},
          {"handshakes", flow.handshakes},           {"handshakes_resumed", flow.handshakes_resumed},
          {"bytes_sent", flow.bytes_sent},           {"bytes_received", flow.bytes_received}};
}

Json troubles(const Troubles& troubles) {
  Json by_kind = Json::object();
  for (std::size_t kind = 0; kind < trouble_count; ++kind) {
    by_kind[std::string(name(static_cast<Trouble>(kind)))] = troubles.counts[kind];
  }
  Json texts = Json::object();
  for (const auto& [text, count] : troubles.texts) texts[text] = count;
  return {{"total", troubles.total()}, {"by_kind", by_kind}, {"texts", texts}};
}

Json trouble_meanings() {
  Json out = Json::object();
  for (std::size_t kind = 0; kind < trouble_count; ++kind) {
    const auto trouble = static_cast<Trouble>(kind);
    out[std::string(name(trouble))] = std::string(meaning(trouble));
  }
  return out;
}

Json seconds(const std::vector<Second>& seconds) {
  Json list = Json::array();
  for (const Second& second : seconds) {
    list.push_back({{"at_s", second.at_s},
                    {"target_rate", second.target_rate},
                    {"answers", second.answers},
                    {"errors", second.errors},
                    {"p50_ns", second.p50_ns},
                    {"p99_ns", second.p99_ns},
                    {"max_ns", second.max_ns},
                    {"connections", second.connections},
                    {"target_cpu_us", second.target_cpu_us ? Json(*second.target_cpu_us) : Json()}});
  }
  return list;
}

Json calls(const std::vector<CallTally>& calls) {
  Json list = Json::array();
  for (const CallTally& call : calls) {
    list.push_back({{"name", call.name},
                    {"sent", call.sent},
                    {"answers_in_time", call.answers_in_time},
                    {"errors", call.errors},
                    {"latency_ns", latency(call.latency)}});
  }
  return list;
}

// Values of headers may be secrets: only their names are told.
Json connecting(const Plan& plan) {
  Json headers = Json::array();
  for (const auto& header : plan.headers) headers.push_back(header.first);
  constexpr std::array<const char*, 3> versions = {"any", "1.2", "1.3"};
  return {{"versions", versions[static_cast<std::size_t>(plan.tls.versions)]},
          {"verified", plan.tls.verify},
          {"ca_file", plan.tls.ca_file},
          {"server_name", plan.tls.server_name},
          {"resume", plan.tls.resume},
          {"sources", plan.sources.size()},
          {"headers", headers},
          {"subprotocol", plan.subprotocol}};
}

Json plan(const Asked& asked) {
  const Plan& plan = asked.plan;
  Json out = {{"url", plan.target.url},
              {"pid", asked.pid},
              {"addresses", Json::array()},
              {"post", plan.target.post},
              {"tls", plan.target.tls},
              {"mode", std::string(name(plan.mode))},
              {"hostility", plan.mode == Mode::hostile ? Json(std::string(name(plan.hostility))) : Json()},
              {"hostile_connections", plan.hostile_connections},
              {"threads", plan.threads},
              {"connections", plan.connections},
              {"depth", plan.depth},
              {"rate_from", plan.rate ? Json(plan.rate->from) : Json()},
              {"rate_to", plan.rate ? Json(plan.rate->to) : Json()},
              {"duration_s", static_cast<double>(plan.duration_ns) / 1e9},
              {"warmup_s", static_cast<double>(plan.warmup_ns) / 1e9},
              {"timeout_s", static_cast<double>(plan.timeout_ns) / 1e9},
              {"calls_max", plan.calls_max},
              {"connect_rate", plan.connect_rate},
              {"connecting", connecting(plan)},
              {"mix", asked.mix_name},
              {"mix_calls", Json::array()}};
  for (const ring::SocketAddress& address : plan.target.addresses) out["addresses"].push_back(address_text(address));
  if (plan.mix) {
    for (const MixCall& call : plan.mix->calls()) {
      out["mix_calls"].push_back({{"name", call.name}, {"weight", call.weight}, {"subscribes", call.subscribes}});
    }
  }
  if (plan.mode == Mode::subscribe) out["subscribe_method"] = plan.subscribe_method;
  return out;
}

Json target_use(const TargetUse& use) {
  if (!use.known) return nullptr;
  return {{"cpu_user_us", use.cpu_user_us},
          {"cpu_system_us", use.cpu_system_us},
          {"rss_before_bytes", use.rss_before_bytes},
          {"rss_after_bytes", use.rss_after_bytes}};
}

Json copies(const FanOut& fan_out) { return {{"came", fan_out.copies}, {"wanted", fan_out.copies_wanted}}; }

Json hostile(const Outcome& outcome) {
  return {{"connections_open", outcome.hostile_connections_open},
          {"connections_held", outcome.hostile_connections_held},
          {"senders_stopped", outcome.hostile_senders_stopped},
          {"flow", flow(outcome.hostile.flow)},
          {"troubles", troubles(outcome.hostile.troubles)}};
}

Json search_of(const Report& report) {
  if (!report.found) return nullptr;
  const Found& found = *report.found;
  Json steps = Json::array();
  for (const Step& step : found.steps) {
    steps.push_back({{"rate", step.rate},
                     {"reached_rate", step.seen.reached_rate},
                     {"p99_ns", step.seen.p99_ns},
                     {"error_share", step.seen.error_share},
                     {"own_busy_share", step.seen.own_busy_share},
                     {"machine_busy_share", step.seen.machine_busy_share},
                     {"troubles", troubles(step.seen.troubles)},
                     {"held", step.held()},
                     {"broken", step.broken}});
  }
  return {{"rate", found.best ? Json(found.steps[*found.best].rate) : Json()},
          {"broken_rate", found.broken ? Json(found.steps[*found.broken].rate) : Json()},
          {"limit", found.limit},
          {"steps", steps}};
}

Json thresholds(const Report& report) {
  Json list = Json::array();
  for (const Judged& judged : report.judged) {
    list.push_back({{"threshold", judged.threshold}, {"found", judged.found}, {"held", judged.held}});
  }
  return list;
}

}  // namespace

std::string json(const Report& report) {
  const Outcome& outcome = report.outcome;
  const Tally& tally = outcome.tally;
  const Mode mode = report.asked.plan.mode;
  const Json document = {
      {"program", "ringwall-bench"},
      {"version", RINGWALL_VERSION},
      {"format", json_format},
      {"started_at", report.started_at},
      {"machine",
       {{"kernel", report.machine.kernel},
        {"cpu", report.machine.cpu},
        {"cores", report.machine.cores},
        {"memory_bytes", report.machine.memory_bytes}}},
      {"plan", plan(report.asked)},
      {"held", report.held()},
      {"thresholds", thresholds(report)},
      {"remarks", report.remarks},
      {"interrupted", report.is_interrupted()},
      {"measured_s", outcome.measured_s},
      {"rate", rate_of(mode, outcome)},
      {"error_share", error_share(mode, tally)},
      {"flow", flow(tally.flow)},
      {"main_latency_of", std::string(main_latency(mode, tally).of)},
      {"latency_ns", latency(tally.latency)},
      {"connect_ns", latency(tally.connect)},
      {"spread_ns", latency(tally.spread)},
      {"calls", calls(tally.calls)},
      {"troubles", troubles(tally.troubles)},
      {"trouble_meanings", trouble_meanings()},
      {"answers_of_any_kind", answers_of_any_kind(tally)},
      {"connections_open", outcome.connections_open},
      {"notification_copies", mode == Mode::subscribe ? copies(outcome.fan_out) : Json()},
      {"hostile", mode == Mode::hostile ? hostile(outcome) : Json()},
      {"target", target_use(outcome.target)},
      {"own_cpu_us", outcome.own_cpu_us},
      {"own_busy_share", own_busy_share(report.asked.plan, outcome)},
      {"machine_busy_share", outcome.machine_busy_share},
      {"search", search_of(report)},
      {"seconds", seconds(outcome.seconds)},
  };
  return document.dump(1, ' ', true, Json::error_handler_t::replace) + "\n";
}

}  // namespace ringwall::load
