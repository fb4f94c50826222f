#include <ringwall/log/lane.h>

#include "unit/catch.h"

#include <string>
#include <thread>

namespace ringwall::log {
namespace {

std::string line_of(std::uint64_t number) { return std::string(number % 1'000, 'x') + std::to_string(number); }

TEST_CASE("lines come out whole and in order, however the ring turns") {
  Lane lane;
  std::string out;
  CHECK_FALSE(lane.pop(out));
  for (std::uint64_t number = 0; number < 2'000; ++number) {
    REQUIRE(lane.push(line_of(number)));
    if (number % 3 != 2) continue;  // two or three are held
    for (std::uint64_t at = number - 2; at <= number; ++at) {
      out.clear();
      REQUIRE(lane.pop(out));
      REQUIRE(out == line_of(at));
    }
  }
  CHECK(lane.dropped() == 0);
}

TEST_CASE("a line that finds no room is dropped and counted, and a later one may find some") {
  Lane lane;
  const std::string line(1'020, 'x');  // with its length, 64 of them fill a lane
  for (int count = 0; count < 64; ++count) REQUIRE(lane.push(line));
  CHECK_FALSE(lane.push("a"));
  CHECK_FALSE(lane.push(line));
  CHECK(lane.dropped() == 2);
  std::string out;
  CHECK(lane.pop(out));
  CHECK(lane.push("a"));
  for (int count = 0; count < 63; ++count) CHECK(lane.pop(out));
  out.clear();
  CHECK(lane.pop(out));
  CHECK(out == "a");
  CHECK_FALSE(lane.pop(out));
}

TEST_CASE("a line that is longer than a lane is dropped") {
  Lane lane;
  CHECK_FALSE(lane.push(std::string(Lane::bytes_max, 'x')));
  CHECK(lane.push(std::string(Lane::bytes_max - 4, 'x')));
}

TEST_CASE("of what one thread pushes another pops all that was not dropped, in order") {
  Lane lane;
  constexpr std::uint64_t lines = 50'000;
  std::uint64_t given = 0;
  std::thread producer([&] {
    for (std::uint64_t number = 0; number < lines; ++number) {
      if (lane.push(line_of(number))) ++given;
    }
    while (!lane.push("end")) std::this_thread::yield();
  });
  std::uint64_t taken = 0;
  std::uint64_t next = 0;
  bool in_order = true;
  for (std::string out;;) {
    out.clear();
    if (!lane.pop(out)) continue;
    if (out == "end") break;
    const std::uint64_t number = std::stoull(out.substr(out.find_first_not_of('x')));
    in_order = in_order && number >= next && out == line_of(number);
    next = number + 1;
    ++taken;
  }
  producer.join();
  CHECK(in_order);
  CHECK(taken == given);
  CHECK(given + lane.dropped() >= lines);
}

}  // namespace
}  // namespace ringwall::log
