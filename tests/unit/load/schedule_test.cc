#include "load/schedule.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "load/course.h"
#include "unit/catch.h"

using ringwall::load::never_ns;
using ringwall::load::Rate;
using ringwall::load::Schedule;

namespace {

constexpr std::uint64_t second_ns = 1'000'000'000;

std::vector<std::uint64_t> all_of(Schedule schedule) {
  std::vector<std::uint64_t> due;
  for (; schedule.next_due_ns() != never_ns; schedule.advance()) due.push_back(schedule.next_due_ns());
  return due;
}

}  // namespace

TEST_CASE("a fixed rate has its calls at even distances, from the start on") {
  const std::vector<std::uint64_t> due = all_of(Schedule({.from = 1000, .to = 1000}, 2 * second_ns, 0, 1));
  REQUIRE(due.size() == 2000);
  for (std::size_t number = 0; number < due.size(); ++number) CHECK(due[number] == number * 1'000'000);
}

TEST_CASE("a ramp has as many calls as its mean rate, and the rate of each moment") {
  const Schedule schedule({.from = 100, .to = 300}, 10 * second_ns, 0, 1);
  CHECK(schedule.calls() == 2000);
  const std::vector<std::uint64_t> due = all_of(schedule);
  REQUIRE(due.size() == 2000);
  CHECK(std::ranges::is_sorted(due));
  CHECK(due.back() < 10 * second_ns);
  for (std::uint64_t second = 0; second < 10; ++second) {
    const auto in_second = std::ranges::count_if(
        due, [&](std::uint64_t at) { return at >= second * second_ns && at < (second + 1) * second_ns; });
    const double middle = 100 + 20 * (static_cast<double>(second) + 0.5);
    CHECK(std::abs(static_cast<double>(in_second) - middle) <= 1);
  }
  CHECK(schedule.rate_at(0) == 100);
  CHECK(schedule.rate_at(5 * second_ns) == 200);
  CHECK(schedule.rate_at(20 * second_ns) == 300);
}

TEST_CASE("a ramp may begin at nothing, and may go down to nothing") {
  const std::vector<std::uint64_t> up = all_of(Schedule({.from = 0, .to = 100}, second_ns, 0, 1));
  const std::vector<std::uint64_t> down = all_of(Schedule({.from = 100, .to = 0}, second_ns, 0, 1));
  CHECK(up.size() == 50);
  CHECK(down.size() == 50);
  CHECK(std::ranges::is_sorted(up));
  CHECK(std::ranges::is_sorted(down));
  CHECK(down.back() <= second_ns);
  // Half of the calls of a ramp from nothing come in the last three tenths of it.
  CHECK(std::ranges::count_if(up, [](std::uint64_t at) { return at >= 707'000'000; }) >= 24);
}

TEST_CASE("workers divide the calls among them, each call once") {
  const Rate rate{.from = 333, .to = 777};
  const std::vector<std::uint64_t> whole = all_of(Schedule(rate, 3 * second_ns, 0, 1));
  std::vector<std::uint64_t> together;
  for (unsigned worker = 0; worker < 7; ++worker) {
    const std::vector<std::uint64_t> part = all_of(Schedule(rate, 3 * second_ns, worker, 7));
    CHECK(part.size() >= whole.size() / 7);
    together.insert(together.end(), part.begin(), part.end());
  }
  std::ranges::sort(together);
  CHECK(together == whole);
}

TEST_CASE("a schedule that is shorter than its first call has one, and one without time or rate has none") {
  CHECK(Schedule({.from = 10, .to = 10}, second_ns / 10, 0, 1).calls() == 1);
  CHECK(Schedule({.from = 10, .to = 10}, second_ns / 20, 0, 1).calls() == 0);
  CHECK(Schedule({.from = 10, .to = 10}, 0, 0, 1).next_due_ns() == never_ns);
  CHECK(Schedule({.from = 0, .to = 0}, second_ns, 0, 1).next_due_ns() == never_ns);
  CHECK(Schedule({.from = 10, .to = 10}, second_ns / 10, 1, 2).next_due_ns() == never_ns);
}
