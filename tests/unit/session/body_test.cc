// A request's body that is had whole, and what an operator is told.
#include <ringwall/session/request.h>
#include <ringwall/session/session.h>

#include "unit/catch.h"
#include "unit/connection/stage.h"
#include "unit/ring/death.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::session {
namespace {

using Answer = AssemblyBudget::Answer;

constexpr AddressBytes address{1};

std::string_view as_text(const ring::Slice& slice) {
  return {reinterpret_cast<const char*>(slice.bytes().data()), slice.size()};
}

TEST_CASE("a body grows as its bytes arrive, by doubling, and its memory is what is charged") {
  AssemblyBudget budget(1 << 20, 1 << 20, 1 << 20);
  Body body(budget, address);
  CHECK(budget.used() == 0);
  std::string text;
  for (int piece = 0; piece < 300; ++piece) {
    const std::string part(100, static_cast<char>('a' + piece % 26));
    REQUIRE(body.reserve(part.size(), SIZE_MAX) == Answer::given);
    body.append(part);
    text += part;
    CHECK(budget.used() >= text.size());
    CHECK(budget.used() <= std::max<std::size_t>(2 * text.size(), 4096));
  }
  CHECK(body.text() == text);
}

TEST_CASE("room that was made is not paid for twice") {
  AssemblyBudget budget(1 << 20, 1 << 20, 1 << 20);
  Body body(budget, address);
  REQUIRE(body.reserve(1000, SIZE_MAX) == Answer::given);
  const std::size_t used = budget.used();
  REQUIRE(body.reserve(1000, SIZE_MAX) == Answer::given);
  CHECK(budget.used() == used);
  body.append("");
  CHECK(body.text().empty());
}

TEST_CASE("where the double does not fit, what is needed is taken") {
  AssemblyBudget budget(10'000, 10'000, 10'000);
  Body body(budget, address);
  REQUIRE(body.reserve(6000, SIZE_MAX) == Answer::given);
  body.append(std::string(6000, 'a'));
  REQUIRE(body.reserve(4000, SIZE_MAX) == Answer::given);
  body.append(std::string(4000, 'b'));
  CHECK(budget.used() == 10'000);
  CHECK(body.text() == std::string(6000, 'a') + std::string(4000, 'b'));
  CHECK(body.reserve(1, SIZE_MAX) == Answer::never);
  CHECK(body.text().size() == 10'000);
}

TEST_CASE("a small budget gives a small body its first bytes") {
  AssemblyBudget budget(100, 100, 100);
  Body body(budget, address);
  CHECK(body.reserve(100, SIZE_MAX) == Answer::given);
  CHECK(budget.used() == 100);
}

TEST_CASE("a body that has to wait keeps what it has, and goes on where it stood") {
  AssemblyBudget budget(10'000, 8'000, 5'000);
  Body body(budget, address);
  REQUIRE(body.reserve(4096, SIZE_MAX) == Answer::given);
  body.append(std::string(4096, 'a'));
  {
    AssemblyCharge other(budget, {2});
    REQUIRE(other.grow(5'000) == Answer::given);
    CHECK(body.reserve(2000, SIZE_MAX) == Answer::wait);
    CHECK(body.text() == std::string(4096, 'a'));
    CHECK(budget.used() == 9'096);
  }
  REQUIRE(body.reserve(2000, SIZE_MAX) == Answer::given);
  body.append("b");
  CHECK(body.text() == std::string(4096, 'a') + "b");
}

TEST_CASE("a body that was taken keeps its charge until its last holder lets go, and the body is empty") {
  AssemblyBudget budget(100'000, 100'000, 50'000);
  ring::Slice share;
  {
    Body body(budget, address);
    REQUIRE(body.reserve(5, SIZE_MAX) == Answer::given);
    body.append("hello");
    const ring::Slice taken = body.take();
    CHECK(as_text(taken) == "hello");
    CHECK(taken.block()->lifetime() == ring::Lifetime::own);
    CHECK(body.text().empty());
    CHECK(body.take().empty());
    share = taken.share(taken.bytes().subspan(1));
    REQUIRE(body.reserve(5, SIZE_MAX) == Answer::given);
    body.append("again");
    CHECK(body.text() == "again");
  }
  CHECK(as_text(share) == "ello");
  CHECK(budget.used() == 4096);
  share.reset();
  CHECK(budget.used() == 0);
}

TEST_CASE("more than there is room for is noticed") {
  CHECK(aborts([] {
    AssemblyBudget budget(100'000, 100'000, 50'000);
    Body body(budget, address);
    body.append("x");
  }));
}

TEST_CASE("a request's head and the small body behind it take their own bytes of memory, not twice as many") {
  const std::string head(http::head_bytes_max, 'h');
  for (const std::size_t body_bytes : {std::size_t{0}, std::size_t{1}, small_body_bytes_max}) {
    std::string text = make_request_text(head, body_bytes);
    text.append(body_bytes, 'b');
    CHECK(text == head + std::string(body_bytes, 'b'));
    CHECK(text.capacity() <= head.size() + body_bytes);
  }
}

TEST_CASE("an operator hears of each thing at most once a second") {
  connection::test::Stage stage;
  const config::Config config;
  Rules rules(config, {}, stage.ring.now_ns());
  std::vector<std::string> heard;
  Service service(stage.resources, config, rules, nullptr,
                  [&](const log::Line& line) { heard.emplace_back(line.sentence); });
  service.notify(Notice::node_garbage, "one");
  service.notify(Notice::node_garbage, "two");
  service.notify(Notice::out_of_files, "three");
  CHECK(heard == std::vector<std::string>{"one", "three"});
  stage.run_for(900 * sim::millisecond);
  service.notify(Notice::node_garbage, "four");
  CHECK(heard.size() == 2);
  stage.run_for(200 * sim::millisecond);
  service.notify(Notice::node_garbage, "five");
  service.notify(Notice::out_of_files, "six");
  CHECK(heard == std::vector<std::string>{"one", "three", "five", "six"});
}

}  // namespace
}  // namespace ringwall::session
