#include "load/search.h"

#include <cmath>

#include "unit/catch.h"

namespace {

using namespace ringwall;
using namespace ringwall::load;

constexpr std::uint64_t ms = 1'000'000;

// An endpoint that serves `capacity` calls a second: its latency grows towards it (as of one queue), and above it the
// queue grows all the time.
StepSeen endpoint(double capacity, double rate) {
  const double load = rate / capacity;
  if (load >= 1) return {.reached_rate = capacity, .p99_ns = 2000 * ms};
  return {.reached_rate = rate, .p99_ns = static_cast<std::uint64_t>(1e6 / (1 - load))};
}

Found searched(const SearchBounds& bounds, const std::function<StepSeen(double)>& seen) {
  unsigned told = 0;
  auto found =
      find_max(bounds, [&](double rate) -> Result<StepSeen> { return seen(rate); }, [&](const Step&) { ++told; });
  REQUIRE(found);
  CHECK(told == found->steps.size());
  return *found;
}

SearchBounds within_50_ms() { return {.p99_ns = 50 * ms, .error_share = 0.001}; }

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("the rate that is found is within 3 % of what the endpoint bears", "[search]") {
  for (const double capacity : {3.0, 40.0, 999.0, 1000.0, 1001.0, 12'345.0, 3'000'000.0}) {
    const auto found = searched(within_50_ms(), [=](double rate) { return endpoint(capacity, rate); });
    REQUIRE(found.best);
    const double rate = found.steps[*found.best].rate;
    const double borne = capacity * 0.98;  // where 1 ms / (1 - load) is 50 ms
    CHECK(rate <= borne);
    CHECK(rate >= borne / 1.03);
    CHECK(found.steps.size() <= 24);
    CHECK(has(found.limit, "the endpoint did not keep the bounds"));
  }
}

TEST_CASE("the best step is the highest that held, and no higher one held", "[search]") {
  const auto found = searched(within_50_ms(), [](double rate) { return endpoint(7777, rate); });
  for (std::size_t index = 0; index < found.steps.size(); ++index) {
    const Step& step = found.steps[index];
    if (step.held()) CHECK(step.rate <= found.steps[*found.best].rate);
    CHECK(step.held() == (step.rate <= 7777 * 0.98));
  }
}

TEST_CASE("each bound is told when it breaks", "[search]") {
  const auto first = [](StepSeen seen) {
    SearchBounds bounds = within_50_ms();
    bounds.steps_max = 1;
    return searched(bounds, [=](double) { return seen; }).steps[0].broken;
  };
  CHECK(first({.reached_rate = 1000, .p99_ns = ms}).empty());
  CHECK(first({.reached_rate = 1000, .p99_ns = 50 * ms}).empty());
  CHECK(first({.reached_rate = 1000, .p99_ns = 51 * ms}) == "p99 51.0 ms");
  CHECK(first({.reached_rate = 1000, .p99_ns = ms, .error_share = 0.002}) == "errors 0.2 %");
  CHECK(first({.reached_rate = 900, .p99_ns = ms}) == "answered 900/s");
  CHECK(first({}) == "no answer");
}

TEST_CASE("an endpoint that bears nothing is told so, at the lowest rate", "[search]") {
  const auto found = searched(within_50_ms(), [](double) { return StepSeen{}; });
  CHECK(!found.best);
  CHECK(found.steps.back().rate == 1);
  CHECK(has(found.limit, "no answer"));
}

TEST_CASE("an endpoint without a limit ends the search where it ends", "[search]") {
  const auto found = searched(within_50_ms(), [](double rate) { return StepSeen{.reached_rate = rate, .p99_ns = ms}; });
  REQUIRE(found.best);
  CHECK(found.steps[*found.best].rate == 10e6);
  CHECK(has(found.limit, "No limit was found"));
}

TEST_CASE("it is said plainly when this program or this machine was the limit", "[search]") {
  const auto limited = [](double own, double machine) {
    return searched(within_50_ms(),
                    [=](double rate) {
                      StepSeen seen = endpoint(5000, rate);
                      seen.own_busy_share = rate > 4900 ? own : 0.2;
                      seen.machine_busy_share = rate > 4900 ? machine : 0.3;
                      return seen;
                    })
        .limit;
  };
  CHECK(has(limited(0.95, 0.99), "ringwall-bench itself was the limit: its threads were 95 % busy"));
  // The rate was kept, and the latency was not.
  CHECK(has(limited(0.5, 0.97), "the endpoint did not keep the bounds: p99 "));
  CHECK(has(limited(0.5, 0.97), "This machine was busy (97 %"));
  CHECK(has(limited(0.5, 0.5), "the endpoint did not keep the bounds"));
}

TEST_CASE("a machine is the limit where fewer calls are answered than were asked for, and no error says why",
          "[search]") {
  const auto limited = [](double error_share) {
    return searched(within_50_ms(), [=](double rate) {
      StepSeen seen{.reached_rate = rate, .p99_ns = ms, .machine_busy_share = 0.97};
      if (rate < 1500) return seen;
      seen.reached_rate = 1500;
      seen.error_share = error_share;
      for (int at = 0; error_share > 0 && at < 7; ++at) {
        seen.troubles.note(Trouble::rpc_error, "-32999 slow down");
      }
      return seen;
    });
  };
  CHECK(has(limited(0).limit, "this machine was the limit: its cores were 97 % busy"));
  const auto refused = limited(0.43);
  CHECK(has(refused.limit, "the endpoint did not keep the bounds: errors 43 %: rpc_error 7 (-32999 slow down)."));
  REQUIRE(refused.broken);
  CHECK(refused.steps[*refused.broken].seen.troubles.total() == 7);
  CHECK(refused.steps[*refused.broken].rate <= refused.steps[*refused.best].rate * 1.03);
}

TEST_CASE("a step that was ended early counts for nothing and ends the search", "[search]") {
  unsigned steps = 0;
  const auto found = searched(within_50_ms(), [&](double rate) {
    StepSeen seen = endpoint(1e9, rate);
    seen.interrupted = ++steps == 3;
    return seen;
  });
  CHECK(found.interrupted);
  CHECK(found.steps.size() == 2);
  CHECK(found.steps[*found.best].rate == 2000);
  CHECK(has(found.limit, "ended early"));
}

TEST_CASE("what cannot be measured ends the search with the reason", "[search]") {
  const auto found =
      find_max(within_50_ms(), [](double) -> Result<StepSeen> { return fail("no route"); }, [](const Step&) {});
  REQUIRE(!found);
  CHECK(found.error().message == "no route");
}
