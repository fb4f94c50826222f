#include "load/session.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>

#include <ringwall/server/output.h>

#include "load/interrupter.h"
#include "load/json_text.h"
#include "load/live.h"
#include "load/quantity.h"
#include "load/report.h"

namespace ringwall::load {

namespace {

constexpr unsigned columns_of_a_pipe = 120;
constexpr int failed = 1;
constexpr double calls_of_a_step_min = 10;

// What the endpoint said may be in it.
void complain(const Error& error) {
  constexpr std::size_t bytes_max = 2000;
  server::print_error("ringwall-bench: " + excerpt(error.message, bytes_max) + "\n");
}

int fail_with(const Error& error) {
  complain(error);
  return failed;
}

Result<void> write_file(const std::string& path, const std::string& text) {
  std::FILE* const file = std::fopen(path.c_str(), "we");
  if (file == nullptr) return fail_errno(path, errno);
  const bool is_written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
  const int error = errno;
  if (std::fclose(file) != 0) return fail_errno(path, errno);
  if (!is_written) return fail_errno(path, error);
  return {};
}

class Session {
 public:
  Session(const Asked& asked, const Interrupter& interrupter, const Runner& runner)
      : interrupter_(interrupter), runner_(runner), live_(asked.quiet) {
    report_.asked = asked;
    report_.machine = this_machine();
    report_.started_at = utc_now();
  }

  int run() {
    if (auto done = report_.asked.find_max ? search() : measure_once(); !done) return fail_with(done.error());
    live_.clear();
    const int signal = interrupter_.signal();
    report_.interrupted = signal != 0;
    const Plan& plan = report_.asked.plan;
    report_.judged = judge(report_.asked.thresholds, plan.mode, report_.outcome.tally);
    if (auto connections = judge_connections(report_.asked.thresholds, plan, report_.outcome)) {
      report_.judged.push_back(std::move(*connections));
    }
    report_.remarks = remarks(plan, report_.outcome);
    if (report_.found && report_.found->best && report_.found->broken) {
      const Step& broken = report_.found->steps[*report_.found->broken];
      for (std::string& each : error_remarks(broken.seen.troubles)) report_.remarks.push_back(std::move(each));
    }
    const int status = tell();
    if (status != 0) return status;
    if (signal != 0) return 128 + signal;
    return report_.held() ? 0 : failed;
  }

 private:
  Result<Outcome> measure(const Plan& plan) {
    const Watch watch{.progress = [this](const Progress& progress) { live_.tell(progress); },
                      .pid = report_.asked.pid,
                      .stop_event = interrupter_.event()};
    return runner_(plan, watch);
  }

  Result<void> measure_once() {
    auto measured = measure(report_.asked.plan);
    if (!measured) return std::unexpected(measured.error());
    report_.outcome = std::move(*measured);
    return {};
  }

  // The outcome that is kept is that of the highest rate that held; until one did, the last one's.
  Result<void> search() {
    const Thresholds& asked = report_.asked.thresholds;
    // A step with fewer calls says nothing.
    const double rate_min = calls_of_a_step_min * 1e9 / static_cast<double>(report_.asked.plan.duration_ns);
    const SearchBounds bounds{
        .p99_ns = *asked.p99_ns, .error_share = *asked.error_share, .rate_min = std::clamp(rate_min, 1.0, 1000.0)};
    std::optional<Outcome> last;
    bool has_held = false, has_answered = false;
    const auto step = [&](double rate) -> Result<StepSeen> {
      Plan plan = report_.asked.plan;
      plan.rate = Rate{rate, rate};
      live_.set_prefix(fmt::format("{}/s: ", rate_text(rate)));
      auto measured = measure(plan);
      if (!measured) {
        // After the first step the endpoint was there: that it no longer is tells of the rate.
        if (!has_answered) return std::unexpected(measured.error());
        live_.clear();
        complain(measured.error());
        return StepSeen{};
      }
      has_answered = true;
      const Outcome& outcome = *measured;
      StepSeen seen{
          .reached_rate = kept_rate(outcome),
          .p99_ns = judged_p99_ns(plan.mode, outcome.tally).value_or(std::max(plan.timeout_ns, bounds.p99_ns + 1)),
          .error_share = error_share(plan.mode, outcome.tally),
          .own_busy_share = own_busy_share(plan, outcome),
          .machine_busy_share = outcome.machine_busy_share,
          .troubles = outcome.tally.troubles,
          .interrupted = outcome.interrupted};
      last = std::move(*measured);
      return seen;
    };
    const auto told = [&](const Step& done) {
      live_.clear();
      if (!report_.asked.quiet) server::print_error(step_line(done));
      const bool is_kept = last && (done.held() || !has_held);
      has_held = has_held || done.held();
      if (!is_kept) return;
      report_.asked.plan.rate = Rate{done.rate, done.rate};
      report_.outcome = std::move(*last);
      last.reset();
    };
    auto found = find_max(bounds, step, told);
    if (!found) return std::unexpected(found.error());
    if (found->steps.empty() && last) report_.outcome = std::move(*last);
    report_.found = std::move(*found);
    return {};
  }

  // The exit status of writing: 0 where all of it could be written.
  int tell() {
    const Asked& asked = report_.asked;
    const bool is_json_printed = asked.json_file == "-";
    const bool has_files = !asked.json_file.empty() || !asked.html_file.empty();
    int status = 0;
    if (!asked.quiet || !has_files) {
      const int stream = is_json_printed ? STDERR_FILENO : STDOUT_FILENO;
      const unsigned columns = terminal_columns(stream);
      const std::string text = table(report_, std::min(columns == 0 ? columns_of_a_pipe : columns, columns_of_a_pipe));
      if (is_json_printed) {
        server::print_error(text);
      } else {
        status = server::print(text);
      }
    }
    if (is_json_printed) {
      status = std::max(status, server::print(json(report_)));
    } else if (!asked.json_file.empty()) {
      if (auto written = write_file(asked.json_file, json(report_)); !written) status = fail_with(written.error());
    }
    if (!asked.html_file.empty()) {
      if (auto written = write_file(asked.html_file, html(report_)); !written) status = fail_with(written.error());
    }
    return status;
  }

  const Interrupter& interrupter_;
  const Runner& runner_;
  Live live_;
  Report report_;
};

}  // namespace

int run_session(const Asked& asked, const Interrupter& interrupter, const Runner& runner) {
  return Session(asked, interrupter, runner).run();
}

}  // namespace ringwall::load
