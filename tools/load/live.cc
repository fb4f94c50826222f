#include "load/live.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include <ringwall/server/output.h>

#include "load/quantity.h"
#include "load/text_grid.h"

namespace ringwall::load {

namespace {

constexpr double seconds_between_lines = 5;

}  // namespace

std::string live_line(const Progress& progress) {
  const Second& last = progress.last;
  if (progress.phase == Progress::Phase::connecting) {
    return fmt::format("connecting  {} of {} open  errors {}", count_text(last.connections),
                       count_text(progress.connections_wanted), count_text(progress.errors));
  }
  if (progress.phase == Progress::Phase::ending) {
    const std::string seconds = fmt::format("at most {:.0f} s", std::ceil(progress.left_s));
    if (!progress.interrupted) {
      return fmt::format("waiting {} for the answers to {} calls; Ctrl-C ends that", seconds,
                         count_text(progress.calls_waiting));
    }
    return fmt::format("closing {} connections, {}; Ctrl-C again ends at once", count_text(progress.last.connections),
                       seconds);
  }
  const double left_s = std::ceil(std::max(progress.left_s, 0.0));
  if (progress.phase == Progress::Phase::warmup) {
    return fmt::format("warming up  {} connections open  {:.0f} s left", count_text(last.connections), left_s);
  }
  const std::string target = last.target_rate > 0 ? " of " + rate_text(last.target_rate) : "";
  return fmt::format("measuring  {}{}/s  p50 {}  p99 {}  errors {}  {:.0f} s left", count_text(last.answers), target,
                     duration_text(last.p50_ns), duration_text(last.p99_ns), count_text(progress.errors), left_s);
}

unsigned terminal_columns(int stream) {
  winsize size{};
  return ioctl(stream, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

Live::Live(bool is_quiet) : is_quiet_(is_quiet), is_terminal_(isatty(STDERR_FILENO) == 1) {}

void Live::tell(const Progress& progress) {
  if (is_quiet_) return;
  const std::string line = prefix_ + live_line(progress);
  if (is_terminal_) {
    const unsigned columns = terminal_columns(STDERR_FILENO);
    server::print_error("\r\x1b[K" + shortened(line, columns > 1 ? columns - 1 : 79));
    has_line_ = true;
    return;
  }
  if (progress.phase == Progress::Phase::ending) {
    // Once for each of its two sentences.
    if (std::exchange(told_end_, progress.interrupted ? 2 : 1) != (progress.interrupted ? 2 : 1)) {
      server::print_error(line + "\n");
    }
    return;
  }
  told_end_ = 0;
  // Elapsed time begins anew with each run.
  if (progress.elapsed_s < told_at_s_) told_at_s_ = 0;
  if (progress.elapsed_s - told_at_s_ < seconds_between_lines) return;
  told_at_s_ = progress.elapsed_s;
  server::print_error(line + "\n");
}

void Live::clear() {
  if (has_line_) server::print_error("\r\x1b[K");
  has_line_ = false;
}

}  // namespace ringwall::load
