// The methods for load: echo, answers and pushes of chosen size and pace.
#include "unit/catch.h"
#include "unit/devnode/fixture.h"

using namespace ringwall::devnode;

namespace {

std::string push_of(std::string_view id, int number, std::size_t bytes) {
  return R"({"jsonrpc":"2.0","method":"dev_push","params":{"subscription":")" + std::string(id) +
         R"(","result":{"number":)" + std::to_string(number) + R"(,"fill":")" + std::string(bytes, 'x') + R"("}}})";
}

constexpr std::uint64_t ms = 1'000'000;

// Long enough for what is due every microsecond to be due a few times.
void let_time_pass() {
  const std::uint64_t until = monotonic_ns() + ms / 20;
  while (monotonic_ns() < until) continue;
}

}  // namespace

TEST_CASE("echo gives parameters back as they were written") {
  Fixture fixture;
  CHECK(fixture.call("echo", R"([ 1.50 , {"a":"\u0041"} ])") == R"("result":[ 1.50 , {"a":"\u0041"} ])");
  CHECK(fixture.call("echo", R"({"b":[]})") == R"("result":{"b":[]})");
}

TEST_CASE("an answer of chosen size has that size, across the sizes at which it is shared") {
  Fixture fixture;
  for (const std::size_t bytes : {0UL, 1UL, 4095UL, 4096UL, 1UL << 20, (1UL << 20) + 1, (3UL << 20) + 5000}) {
    INFO(bytes);
    CHECK(fixture.call("dev_bytes", "[" + std::to_string(bytes) + "]") ==
          "\"result\":\"" + std::string(bytes, 'x') + "\"");
  }
  CHECK(fixture.call("dev_bytes", "[18446744073709551615]").find("-32008") != std::string::npos);
  CHECK(fixture.call("dev_bytes", "[-1]").find("-32602") != std::string::npos);
}

TEST_CASE("pushes are numbered, have the size asked for, and end with their count") {
  Fixture fixture;
  const std::string id = fixture.subscribe("dev_subscribePush", R"({"bytes":3,"interval_us":1,"count":2})");
  let_time_pass();
  fixture.timers.advance(monotonic_ns() + 100 * ms);
  CHECK(fixture.told.messages == std::vector{push_of(id, 0, 3), push_of(id, 1, 3)});
}

TEST_CASE("a push waits for its time") {
  Fixture fixture;
  (void)fixture.subscribe("dev_subscribePush", R"([{"bytes":0,"per_second":1}])");
  fixture.timers.advance(monotonic_ns() + 500 * ms);
  CHECK(fixture.told.messages.size() == 1);
}

TEST_CASE("pushes wait for room, and none is left out") {
  Fixture fixture;
  fixture.told.room = 1;
  const std::string id = fixture.subscribe("dev_subscribePush", R"([{"bytes":0,"interval_us":1,"count":3}])");
  let_time_pass();
  fixture.timers.advance(monotonic_ns() + 100 * ms);
  CHECK(fixture.told.messages.size() == 1);
  fixture.subscriptions.on_room();
  CHECK(fixture.told.messages.size() == 1);
  fixture.told.room = 10;
  fixture.subscriptions.on_room();
  CHECK(fixture.told.messages == std::vector{push_of(id, 0, 0), push_of(id, 1, 0), push_of(id, 2, 0)});
}

TEST_CASE("a pace that is none is refused") {
  Fixture fixture;
  for (const char* pace : {"[]", "{}", R"({"bytes":1})", R"({"bytes":1,"per_second":0})", R"({"per_second":1})",
                           R"({"bytes":1,"per_second":1,"interval_us":1})", R"({"bytes":1,"interval_us":-1})",
                           R"({"bytes":1,"per_second":1,"count":"x"})", R"({"bytes":1,"per_second":1000000001})"}) {
    INFO(pace);
    CHECK(fixture.call("dev_subscribePush", pace).find("-32602") != std::string::npos);
  }
}

TEST_CASE("pushes end with their subscription") {
  Fixture fixture;
  const std::string id = fixture.subscribe("dev_subscribePush", R"([{"bytes":0,"interval_us":1}])");
  fixture.told.messages.clear();
  let_time_pass();
  CHECK(fixture.call("dev_unsubscribePush", "[\"" + id + "\"]") == "\"result\":true");
  fixture.timers.advance(monotonic_ns() + 100 * ms);
  CHECK(fixture.told.messages.empty());
}
