#include "load/run.h"

#include <ringwall/tls/client_context.h>

#include <fmt/format.h>
#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "load/course.h"
#include "load/crew.h"
#include "load/machine.h"
#include "load/process_watch.h"
#include "load/request_texts.h"
#include "load/schedule.h"
#include "load/unreached.h"
#include "load/worker.h"

namespace ringwall::load {

namespace {

constexpr std::uint64_t ms_ns = 1'000'000;
constexpr std::uint64_t second_ns = 1'000 * ms_ns;
constexpr std::uint64_t descriptors_beside = 64;  // of the program itself, and of each thread
constexpr std::uint64_t descriptors_of_thread = 8;
constexpr std::uint64_t look_ns = 20 * ms_ns;  // how often it is looked whether the next stretch may begin
constexpr std::uint64_t lead_ns = 20 * ms_ns;  // from a decision until it counts: all workers have seen it by then
constexpr std::uint64_t told_within_ns = 50 * ms_ns;  // what a second was is told by all workers, after its end
constexpr std::uint64_t settle_slack_ns = second_ns;
constexpr std::uint64_t tell_waiting_ns = second_ns;  // that calls are waited for

std::uint64_t now_ns() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(since).count());
}

double seconds(std::uint64_t ns) { return static_cast<double>(ns) / 1e9; }

Result<void> allow_descriptors(const Plan& plan) {
  const std::uint64_t needed = std::uint64_t{plan.connections} + plan.hostile_connections + descriptors_beside +
                               workers(plan) * descriptors_of_thread;
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return fail_errno("getrlimit", errno);
  limit.rlim_cur = limit.rlim_max;
  (void)setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max >= needed) return {};
  return fail(
      fmt::format("{} connections need {} open files, and this process may have {}: raise the hard limit "
                  "(ulimit -Hn, systemd: LimitNOFILE), or ask for fewer connections",
                  std::uint64_t{plan.connections} + plan.hostile_connections, needed, limit.rlim_max));
}

// Null: the target is plain.
Result<std::unique_ptr<tls::ClientContext>> load_tls(const Plan& plan) {
  if (!plan.target.tls) return nullptr;
  tls::ClientSettings settings{.verify = plan.tls.verify, .resume = plan.tls.resume};
  if (plan.tls.versions == TlsVersions::only_12) settings.versions = tls::VersionsOffered::only_tls12;
  if (plan.tls.versions == TlsVersions::only_13) settings.versions = tls::VersionsOffered::only_tls13;
  if (!plan.tls.ca_file.empty()) settings.ca_file = plan.tls.ca_file;
  return tls::ClientContext::load(settings);
}

class Run {
 public:
  Run(const Plan& plan, const Watch& watch, Crew& crew, std::optional<ProcessWatch> target)
      : plan_(plan), watch_(watch), crew_(crew), target_(target), began_ns_(now_ns()) {}

  // Until each client was opened, or has failed, once; or until no more are. False: nobody could be reached.
  [[nodiscard]] bool connect();
  void measure();
  [[nodiscard]] Outcome finish();
  [[nodiscard]] bool is_interrupted() const { return outcome_.interrupted; }

 private:
  [[nodiscard]] bool wait(std::uint64_t until_ns);
  void tell(Progress::Phase phase, std::uint64_t left_ns);
  void end_second(std::size_t number, std::uint64_t end_ns);
  void note_target(std::uint64_t at_ns);
  void wait_for_end();
  void tell_ending(std::uint64_t until_ns);
  void note_fan_out(std::uint64_t ended_ns);

  const Plan& plan_;
  const Watch& watch_;
  Crew& crew_;
  std::optional<ProcessWatch> target_;
  std::uint64_t began_ns_;
  std::uint64_t told_ns_ = 0;
  std::uint64_t measure_ns_ = never_ns, end_ns_ = never_ns;
  std::uint64_t errors_ = 0;
  CpuTimes cpu_before_{};
  double cpu_told_us_ = 0, own_before_us_ = 0;
  CpuTicks machine_before_{};
  Outcome outcome_;
};

// False: it was told to stop.
bool Run::wait(std::uint64_t until_ns) {
  for (;;) {
    const std::uint64_t now = now_ns();
    if (now >= until_ns) return true;
    const std::uint64_t left_ns = until_ns - now;
    timespec time{static_cast<time_t>(left_ns / second_ns), static_cast<long>(left_ns % second_ns)};
    pollfd stop{watch_.stop_event, POLLIN, 0};  // a negative descriptor is waited for in vain
    if (ppoll(&stop, 1, &time, nullptr) > 0) {
      outcome_.interrupted = true;
      return false;
    }
  }
}

void Run::tell(Progress::Phase phase, std::uint64_t left_ns) {
  if (!watch_.progress || now_ns() < told_ns_ + second_ns) return;
  told_ns_ = now_ns();
  Progress progress{.phase = phase, .elapsed_s = seconds(now_ns() - began_ns_), .left_s = seconds(left_ns)};
  progress.last.connections = crew_.sum(&Told::open);
  progress.connections_wanted = plan_.connections;
  watch_.progress(progress);
}

bool Run::connect() {
  if (target_) outcome_.target.rss_before_bytes = target_->rss_bytes();
  // Handshakes are what is measured then: it is enough that there is somebody.
  const std::uint64_t wanted = plan_.mode == Mode::handshake ? 1 : plan_.connections;
  const double start_interval_s = plan_.connect_rate > 0 ? 1 / plan_.connect_rate : 0;
  const std::uint64_t patience_ns =
      plan_.timeout_ns + settle_slack_ns + static_cast<std::uint64_t>(start_interval_s * double{second_ns});
  std::uint64_t opened = 0, opened_ns = began_ns_;
  while (crew_.sum(&Told::settled) < wanted) {
    tell(Progress::Phase::connecting, plan_.duration_ns + plan_.warmup_ns);
    const std::uint64_t now = now_ns();
    if (const std::uint64_t all = crew_.sum(&Told::opened); all > opened) {
      opened = all;
      opened_ns = now;
    }
    if (now > opened_ns + patience_ns) {
      if (opened > 0) outcome_.connections_begun_with = crew_.sum(&Told::open);
      break;
    }
    if (!wait(now + look_ns)) return true;
  }
  return crew_.sum(&Told::opened) > 0;
}

void Run::measure() {
  Course& course = crew_.course;
  const std::uint64_t warmup_ns = now_ns() + lead_ns;
  measure_ns_ = warmup_ns + plan_.warmup_ns;
  end_ns_ = measure_ns_ + plan_.duration_ns;
  course.end_ns.store(end_ns_);
  course.measure_ns.store(measure_ns_);
  course.warmup_ns.store(warmup_ns);
  while (now_ns() < measure_ns_) {
    if (!wait(std::min(measure_ns_, now_ns() + look_ns))) return;
    tell(Progress::Phase::warmup, end_ns_ - std::min(now_ns(), end_ns_));
  }
  own_before_us_ = own_cpu_us();
  machine_before_ = cpu_ticks();
  if (target_) cpu_before_ = target_->cpu();
  for (std::size_t number = 0; now_ns() < end_ns_;) {
    const std::uint64_t second_end_ns = std::min(measure_ns_ + (number + 1) * second_ns, end_ns_);
    const bool is_last = second_end_ns == end_ns_;
    const bool goes_on = wait(std::min(now_ns() + look_ns, is_last ? end_ns_ : second_end_ns + told_within_ns));
    const bool is_spent = plan_.calls_max > 0 && crew_.sum(&Told::finished) >= plan_.calls_max;
    if (!goes_on || is_spent) {
      // With the last call, not when that is seen here; what has been told of a second stays a part of the run.
      const std::uint64_t last_ns = std::max(crew_.max(&Told::finished_ns), measure_ns_ + number * second_ns);
      end_ns_ = std::min(goes_on ? last_ns : now_ns(), end_ns_);
      course.end_ns.store(end_ns_);
      return;
    }
    if (!is_last && now_ns() >= second_end_ns + told_within_ns) end_second(number++, second_end_ns);
  }
}

void Run::end_second(std::size_t number, std::uint64_t end_ns) {
  const Tick tick = crew_.take_second(number);
  Second second{.at_s = seconds(end_ns - measure_ns_), .answers = tick.answers, .errors = tick.errors};
  const std::uint64_t start_ns = number * second_ns;
  const std::uint64_t middle_ns = start_ns + (end_ns - measure_ns_ - start_ns) / 2;
  if (plan_.rate) second.target_rate = Schedule(*plan_.rate, plan_.duration_ns, 0, 1).rate_at(middle_ns);
  second.p50_ns = tick.latency.percentile_ns(50);
  second.p99_ns = tick.latency.percentile_ns(99);
  second.max_ns = tick.latency.max_ns();
  second.connections = crew_.sum(&Told::open);
  // A process that has ended has no CPU time.
  if (const double since_start_us = target_ ? target_->cpu().total_us : 0; since_start_us > 0) {
    const double total_us = since_start_us - cpu_before_.total_us;
    second.target_cpu_us = total_us - std::exchange(cpu_told_us_, total_us);
  }
  errors_ += tick.errors;
  outcome_.seconds.push_back(second);
  if (!watch_.progress) return;
  const std::uint64_t now = now_ns();
  watch_.progress({.phase = Progress::Phase::measuring,
                   .elapsed_s = seconds(now - measure_ns_),
                   .left_s = seconds(end_ns_ - std::min(now, end_ns_)),
                   .last = second,
                   .errors = errors_,
                   .connections_wanted = plan_.connections});
}

// At the end of the measured time: what is open is still open.
void Run::note_target(std::uint64_t at_ns) {
  outcome_.measured_s = measure_ns_ < at_ns ? seconds(at_ns - measure_ns_) : 0;
  outcome_.connections_open = crew_.sum(&Told::open);
  outcome_.hostile_connections_open = crew_.sum(&Told::hostile_open);
  outcome_.hostile_connections_held = crew_.sum(&Told::hostile_held);
  outcome_.hostile_senders_stopped = crew_.sum(&Told::hostile_stopped);
  if (outcome_.measured_s == 0) return;
  outcome_.own_cpu_us = own_cpu_us() - own_before_us_;
  outcome_.machine_busy_share = busy_share(machine_before_, cpu_ticks());
  if (!target_) return;
  const CpuTimes after = target_->cpu();
  TargetUse& use = outcome_.target;
  use.known = after.total_us > 0;
  use.rss_after_bytes = target_->rss_bytes();
  const double total_us = std::max(after.total_us - cpu_before_.total_us, 0.0);
  const auto user = static_cast<double>(after.user_ticks - cpu_before_.user_ticks);
  const auto system = static_cast<double>(after.system_ticks - cpu_before_.system_ticks);
  use.cpu_user_us = user + system > 0 ? total_us * user / (user + system) : total_us;
  use.cpu_system_us = total_us - use.cpu_user_us;
}

void Run::tell_ending(std::uint64_t until_ns) {
  const std::uint64_t now = now_ns();
  if (!watch_.progress || now < told_ns_ + second_ns) return;
  told_ns_ = now;
  watch_.progress({.phase = Progress::Phase::ending,
                   .left_s = until_ns > now ? seconds(until_ns - now) : 0,
                   .last = {.connections = outcome_.connections_open},
                   .calls_waiting = crew_.sum(&Told::in_flight),
                   .interrupted = outcome_.interrupted});
}

// What is in flight is waited for, unless it is, or was, told to stop; that one more word from the user ends it is
// told.
void Run::wait_for_end() {
  crew_.stop();
  std::uint64_t began_ns = now_ns();
  told_ns_ = 0;
  while (!crew_.is_over()) {
    const std::uint64_t until_ns = began_ns + (outcome_.interrupted ? part_ns + abort_ns : calls_waited_ns(plan_));
    if (outcome_.interrupted) {
      tell_ending(until_ns);
      std::this_thread::sleep_for(std::chrono::nanoseconds(look_ns));
      continue;
    }
    if (now_ns() > began_ns + tell_waiting_ns && crew_.sum(&Told::in_flight) > 0) tell_ending(until_ns);
    if (wait(now_ns() + look_ns)) continue;
    crew_.course.at_once.store(true);
    began_ns = now_ns();
    told_ns_ = 0;
  }
}

// A copy may take as long as an answer, where half of the measured time is as long as that.
void Run::note_fan_out(std::uint64_t ended_ns) {
  const std::uint64_t within_ns = std::min(plan_.timeout_ns, (ended_ns - measure_ns_) / 2);
  outcome_.fan_out = crew_.items.fan_out(measure_ns_, ended_ns, within_ns);
  for (std::uint64_t silent = 0; silent < outcome_.fan_out.silent; ++silent) {
    outcome_.tally.troubles.note(Trouble::notification_lost, plan_.subscribe_method);
  }
}

Outcome Run::finish() {
  const std::uint64_t ended_ns = std::min(now_ns(), end_ns_);
  note_target(ended_ns);
  if (outcome_.interrupted) {
    crew_.course.at_once.store(true);
    crew_.course.end_ns.store(ended_ns);
  }
  wait_for_end();
  crew_.end();
  if (outcome_.measured_s > 0) {
    const std::size_t told = outcome_.seconds.size();
    const std::size_t all = (ended_ns - 1 - measure_ns_) / second_ns + 1;
    for (std::size_t number = told; number < all; ++number) {
      end_second(number, std::min(measure_ns_ + (number + 1) * second_ns, ended_ns));
      outcome_.seconds.back().connections = outcome_.connections_open;  // by now they are closed
    }
  }
  for (std::size_t index = 0; index < crew_.told.size(); ++index) {
    const Told& one = *crew_.told[index];
    outcome_.tally.add(one.tally);
    outcome_.hostile.add(one.hostile);
    if (index < plan_.threads) outcome_.threads_cpu_us += one.cpu_us;
  }
  if (plan_.mode == Mode::subscribe && outcome_.measured_s > 0) note_fan_out(ended_ns);
  // Each call is kept in its own row while the run goes on.
  for (const CallTally& call : outcome_.tally.calls) outcome_.tally.latency.add(call.latency);
  return std::move(outcome_);
}

}  // namespace

Result<Outcome> run(const Plan& plan, const Watch& watch) {
  if (plan.target.addresses.empty()) return fail(plan.target.url + ": no address is known for it");
  auto texts = RequestTexts::create(plan);
  if (!texts) return std::unexpected(texts.error());
  if (plan.mode == Mode::hostile && plan.hostility == Hostility::tls_handshakes && !plan.target.tls) {
    return fail(plan.target.url + " has no TLS handshakes: wss:// and https:// have");
  }
  if (const auto allowed = allow_descriptors(plan); !allowed) return std::unexpected(allowed.error());
  std::optional<ProcessWatch> target;
  if (watch.pid != 0) {
    auto found = ProcessWatch::of(watch.pid);
    if (!found) return std::unexpected(found.error());
    target = *found;
  }
  auto tls = load_tls(plan);
  if (!tls) return std::unexpected(tls.error());
  Crew crew(plan, *texts, tls->get());
  Run run(plan, watch, crew, target);
  if (const auto started = crew.start(); !started) return std::unexpected(started.error());
  const bool is_reached = run.connect();
  if (is_reached && !run.is_interrupted()) run.measure();
  Outcome outcome = run.finish();
  if (!is_reached) return fail(why_unreached(plan, outcome.tally.troubles));
  return outcome;
}

}  // namespace ringwall::load
