#include "load/search.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "load/quantity.h"
#include "load/verdict.h"

namespace ringwall::load {

namespace {

std::string broken_by(const SearchBounds& bounds, double rate, const StepSeen& seen) {
  if (seen.reached_rate <= 0) return "no answer";
  if (seen.error_share > bounds.error_share) return "errors " + share_text(seen.error_share);
  if (seen.p99_ns > bounds.p99_ns) return "p99 " + duration_text(seen.p99_ns);
  // What comes after a step's end counts for none: a short step shows here first that calls pile up.
  if (seen.reached_rate < rate_kept_share * rate) return fmt::format("answered {}/s", rate_text(seen.reached_rate));
  return "";
}

std::optional<std::size_t> lowest_broken(const std::vector<Step>& steps) {
  const auto lowest =
      std::ranges::min_element(steps, {}, [](const Step& step) { return step.held() ? HUGE_VAL : step.rate; });
  if (lowest == steps.end() || lowest->held()) return std::nullopt;
  return static_cast<std::size_t>(lowest - steps.begin());
}

std::string limit_of(const Found& found, const SearchBounds& bounds) {
  if (!found.broken) {
    return found.interrupted
               ? "The search was ended early."
               : fmt::format("No limit was found up to {}/s, where the search ends.", rate_text(bounds.rate_max));
  }
  const Step& step = found.steps[*found.broken];
  const StepSeen& seen = step.seen;
  const bool errors_say_why = seen.error_share > bounds.error_share;
  if (seen.own_busy_share >= busy_share_limit && !errors_say_why) {
    return fmt::format(
        "At {}/s ringwall-bench itself was the limit: its threads were {:.0f} % busy. The endpoint may "
        "bear more; more --threads or another machine would show it.",
        rate_text(step.rate), seen.own_busy_share * 100);
  }
  const bool is_machine_busy = seen.machine_busy_share >= busy_share_limit;
  if (is_machine_busy && !errors_say_why && seen.reached_rate < rate_kept_share * step.rate && seen.reached_rate > 0) {
    return fmt::format("At {}/s this machine was the limit: its cores were {:.0f} % busy, with all that runs on it.",
                       rate_text(step.rate), seen.machine_busy_share * 100);
  }
  const std::string errors = leading_errors(seen.troubles);
  std::string text = fmt::format("At {}/s the endpoint did not keep the bounds: {}{}{}.", rate_text(step.rate),
                                 step.broken, errors.empty() ? "" : ": ", errors);
  if (is_machine_busy && !errors_say_why) {
    text += fmt::format(" This machine was busy ({:.0f} %, with all that runs on it): a quiet one may show more.",
                        seen.machine_busy_share * 100);
  }
  return text;
}

}  // namespace

Result<Found> find_max(const SearchBounds& bounds, const std::function<Result<StepSeen>(double rate)>& measure,
                       const std::function<void(const Step&)>& told) {
  Found found;
  std::optional<double> held_rate, broken_rate;
  double rate = bounds.first_rate;
  while (found.steps.size() < bounds.steps_max) {
    const auto seen = measure(rate);
    if (!seen) return std::unexpected(seen.error());
    if (seen->interrupted) {
      found.interrupted = true;
      break;
    }
    const Step& step =
        found.steps.emplace_back(Step{.rate = rate, .seen = *seen, .broken = broken_by(bounds, rate, *seen)});
    told(step);
    if (step.held()) {
      held_rate = rate;
      found.best = found.steps.size() - 1;
    } else {
      broken_rate = rate;
    }
    if (held_rate && broken_rate && *broken_rate <= *held_rate * bounds.precision) break;
    if (!broken_rate && rate >= bounds.rate_max) break;
    if (!held_rate && rate <= bounds.rate_min) break;
    // The geometric middle: the bounds of a rate are known by their ratio.
    rate = !broken_rate ? std::min(rate * 2, bounds.rate_max)
           : !held_rate ? std::max(rate / 2, bounds.rate_min)
                        : std::sqrt(*held_rate * *broken_rate);
  }
  found.broken = lowest_broken(found.steps);
  found.limit = limit_of(found, bounds);
  return found;
}

}  // namespace ringwall::load
