// From what was written to a plan: every value is read and every contradiction refused.
#include <fmt/core.h>

#include <array>

#include "load/flag_values.h"
#include "load/mix.h"
#include "load/options.h"
#include "load/quantity.h"
#include "load/target.h"

namespace ringwall::load {

namespace {

constexpr std::uint64_t connections_max = 1'000'000;
constexpr std::uint64_t depth_max = 65'536;
constexpr std::uint64_t threads_max = 256;
constexpr std::uint64_t calls_max = 1'000'000'000'000;
constexpr std::uint64_t ms = 1'000'000;  // in ns
constexpr unsigned open_loop_depth = 64;
constexpr double connecting_s_max = 3600;
constexpr double search_error_share = 0.001;

constexpr std::array<std::string_view, 5> mode_names = {"calls", "handshakes", "idle", "subscribe", "hostile"};
constexpr std::array<std::string_view, 7> hostility_names = {"slow-heads",   "slow-readers", "floods",        "denied",
                                                             "huge-batches", "churn",        "tls-handshakes"};

void read_mode(Reader& reader, const Flags& flags, Plan& plan) {
  reader.name("--mode", flags.mode, mode_names, plan.mode);
  reader.name("--hostile", flags.hostile, hostility_names, plan.hostility);
  const bool has_mode = flags.mode.has_value();
  if (flags.subscribe && !has_mode) plan.mode = Mode::subscribe;
  if (flags.hostile && !has_mode) plan.mode = Mode::hostile;
  reader.refuse_if(flags.subscribe && plan.mode != Mode::subscribe, "--subscribe is for --mode subscribe");
  reader.refuse_if((flags.hostile || flags.hostile_connections) && plan.mode != Mode::hostile,
                   "--hostile and --hostile-connections are for --mode hostile");
  reader.refuse_if(
      plan.mode == Mode::hostile && !flags.hostile,
      "--mode hostile needs --hostile KIND: slow-heads, slow-readers, floods, denied, huge-batches, churn or "
      "tls-handshakes");
}

bool makes_calls(Mode mode) { return mode == Mode::calls || mode == Mode::hostile; }

// A handshake's connection by POST carries one request.
bool uses_mix(const Plan& plan) { return makes_calls(plan.mode) || (plan.mode == Mode::handshake && plan.target.post); }

void read_calls(Reader& reader, const Flags& flags, Asked& asked) {
  Plan& plan = asked.plan;
  const bool has_subscribe = plan.mode == Mode::subscribe;
  reader.refuse_if(flags.mix && flags.call, "--mix and --call: expected one of them");
  reader.refuse_if((flags.mix || flags.call) && !uses_mix(plan),
                   "--mix and --call are for --mode calls and --mode hostile: no other mode makes calls");
  reader.refuse_if(flags.params && !flags.call && !has_subscribe, "--params needs --call METHOD or --subscribe METHOD");
  reader.refuse_if(flags.payload && !flags.call,
                   "--payload needs --call METHOD, one that takes a string, such as echo");
  reader.refuse_if(flags.payload && flags.params,
                   "--payload and --params: expected one of them, since both are the params");
  reader.refuse_if(flags.answer_bytes && !flags.call,
                   "--answer-bytes needs --call METHOD (a --mix file says it line by line)");
  if (!reader.is_good()) return;
  if (has_subscribe) {
    reader.take(flags.subscribe, read_method, plan.subscribe_method);
    reader.take(flags.params, read_params, plan.subscribe_params);
    return;
  }
  if (!uses_mix(plan)) return;
  asked.mix_name = flags.call ? *flags.call : flags.mix.value_or("public");
  const auto mix = [&](const std::string& name) { return flags.call ? read_call(flags) : read_mix(name); };
  reader.take(asked.mix_name, mix, plan.mix);
  if (!reader.is_good() || !plan.target.post || !plan.mix->subscribes()) return;
  plan.mix = plan.mix->without_subscriptions();
  reader.refuse_if(plan.mix == nullptr,
                   "http:// and https:// have no subscriptions, and nothing else is called: expected ws:// or wss://");
}

std::string hours_text(double seconds) {
  const double hours = seconds / 3600;
  return hours < 1000 ? fmt::format("{:.3g} hours", hours) : "more than a thousand hours";
}

void read_amounts(Reader& reader, const Flags& flags, Plan& plan) {
  const bool holds = plan.mode == Mode::idle || plan.mode == Mode::subscribe;
  plan.connections = holds ? 100 : 10;
  plan.hostile_connections = plan.mode == Mode::hostile ? 100 : 0;
  reader.count("--connections", flags.connections, connections_max, plan.connections);
  reader.count("--hostile-connections", flags.hostile_connections, connections_max, plan.hostile_connections);
  reader.take(flags.rate, read_rate, plan.rate);
  if ((plan.rate || flags.find_max) && !plan.target.post) plan.depth = open_loop_depth;
  reader.count("--depth", flags.depth, depth_max, plan.depth);
  reader.duration("--duration", flags.duration, ms, plan.duration_ns);
  reader.duration("--warmup", flags.warmup, 0, plan.warmup_ns);
  reader.duration("--timeout", flags.timeout, ms, plan.timeout_ns);
  reader.count("--calls", flags.calls, calls_max, plan.calls_max);
  reader.count("--threads", flags.threads, threads_max, plan.threads);
  reader.take(flags.connect_rate, read_connect_rate, plan.connect_rate);
  const double connecting_s = plan.connect_rate > 0 ? plan.connections / plan.connect_rate : 0;
  if (connecting_s > connecting_s_max) {
    reader.refuse(
        fmt::format("--connect-rate {}: {} connections would take {} to connect, expected at most an hour: a "
                    "higher rate, or fewer connections",
                    *flags.connect_rate, plan.connections, hours_text(connecting_s)));
  }
  if (plan.threads > plan.connections) {
    reader.refuse(fmt::format("--threads {} are more than --connections {}: expected a connection for each thread",
                              plan.threads, plan.connections));
  }
}

void read_connecting(Reader& reader, const Flags& flags, Plan& plan) {
  constexpr std::array<std::string_view, 2> versions = {"1.2", "1.3"};
  std::size_t version = 0;
  reader.name("--tls", flags.tls, versions, version);
  if (flags.tls) plan.tls.versions = version == 0 ? TlsVersions::only_12 : TlsVersions::only_13;
  reader.refuse_if(flags.insecure && flags.ca,
                   "--insecure and --ca: expected one of them, since --insecure looks at no CA");
  reader.take(flags.ca, read_ca, plan.tls.ca_file);
  plan.tls.verify = !flags.insecure;
  plan.tls.server_name = flags.server_name.value_or("");
  plan.tls.resume = flags.resume;
  reader.take(flags.source, parse_sources, plan.sources);
  for (const std::string& text : flags.headers) {
    reader.take(text, read_header, plan.headers.emplace_back());
  }
  reader.take(flags.subprotocol, read_subprotocol, plan.subprotocol);
}

void read_told(Reader& reader, const Flags& flags, Asked& asked) {
  reader.take(flags.pid, read_pid, asked.pid);
  if (flags.json != "-") {
    reader.take(flags.json, [](const std::string& path) { return read_output("--json", path); }, asked.json_file);
  } else {
    asked.json_file = "-";
  }
  reader.take(flags.html, [](const std::string& path) { return read_output("--html", path); }, asked.html_file);
  reader.refuse_if(flags.json && flags.html && *flags.json == *flags.html, "--json and --html: expected two files");
  asked.quiet = flags.quiet;
}

void read_thresholds(Reader& reader, const Flags& flags, Asked& asked) {
  reader.refuse_if(flags.find_max && !flags.p99, "--find-max needs --p99 TIME: the latency to keep, such as 50ms");
  reader.refuse_if(flags.p99 && !flags.find_max, "--p99 is the bound of --find-max; for a single run it is --fail-p99");
  reader.refuse_if(flags.find_max && flags.fail_p99,
                   "--fail-p99 and --find-max: expected --p99, which is the bound of the search");
  asked.find_max = flags.find_max;
  std::uint64_t p99_ns = 0;
  reader.duration("--fail-p99", flags.fail_p99, 1000, p99_ns);
  reader.duration("--p99", flags.p99, 1000, p99_ns);
  if (p99_ns > 0) asked.thresholds.p99_ns = p99_ns;
  reader.take(flags.fail_errors, read_error_share, asked.thresholds.error_share);
  if (asked.find_max && !asked.thresholds.error_share) asked.thresholds.error_share = search_error_share;
}

void refuse_for_target(Reader& reader, const Flags& flags, const Plan& plan) {
  const bool is_post = plan.target.post;
  reader.refuse_if(is_post && (plan.mode == Mode::idle || plan.mode == Mode::subscribe),
                   "--mode idle and --mode subscribe need ws:// or wss://: POST holds nothing");
  reader.refuse_if(is_post && plan.depth > 1,
                   "--depth above 1 needs ws:// or wss://: POST has one call in flight on a connection");
  reader.refuse_if(is_post && flags.subprotocol, "--subprotocol needs ws:// or wss://: POST has none");
  const bool has_tls_option = flags.tls || flags.ca || flags.insecure || flags.server_name || flags.resume;
  reader.refuse_if(!plan.target.tls && has_tls_option,
                   "--tls, --ca, --insecure, --server-name and --resume need wss:// or https://: this URL has no TLS");
  reader.refuse_if(!plan.target.tls && plan.mode == Mode::hostile && plan.hostility == Hostility::tls_handshakes,
                   "--hostile tls-handshakes needs wss:// or https://: this URL has no TLS");
}

void refuse_for_mode(Reader& reader, const Flags& flags, const Plan& plan) {
  reader.refuse_if(flags.rate && !makes_calls(plan.mode),
                   "--rate is for --mode calls and --mode hostile: no other mode makes calls");
  reader.refuse_if(flags.depth && !makes_calls(plan.mode),
                   "--depth is for --mode calls and --mode hostile: no other mode makes calls");
  reader.refuse_if(flags.calls && (plan.mode == Mode::idle || plan.mode == Mode::subscribe),
                   "--calls is for --mode calls, handshakes and hostile: idle connections and subscriptions make none");
  reader.refuse_if(flags.find_max && plan.mode != Mode::calls, "--find-max is for --mode calls");
  reader.refuse_if(flags.find_max && flags.rate,
                   "--find-max and --rate: expected one of them, since the rate is what is searched");
  reader.refuse_if(flags.find_max && flags.calls,
                   "--find-max and --calls: expected --duration, which is that of each step");
  reader.refuse_if(flags.connect_rate && plan.mode == Mode::handshake,
                   "--connect-rate and --mode handshakes: expected one of them, since that mode connects all the time");
}

}  // namespace

std::string_view name(Mode mode) { return mode_names[static_cast<std::size_t>(mode)]; }
std::string_view name(Hostility hostility) { return hostility_names[static_cast<std::size_t>(hostility)]; }

Result<Asked> asked_by(const Flags& flags) {
  Asked asked;
  Reader reader;
  reader.take(flags.url, parse_url, asked.plan.target);
  read_mode(reader, flags, asked.plan);
  read_calls(reader, flags, asked);
  read_amounts(reader, flags, asked.plan);
  read_connecting(reader, flags, asked.plan);
  read_told(reader, flags, asked);
  read_thresholds(reader, flags, asked);
  refuse_for_target(reader, flags, asked.plan);
  refuse_for_mode(reader, flags, asked.plan);
  if (!reader.is_good()) return fail(reader.error());
  return asked;
}

}  // namespace ringwall::load
