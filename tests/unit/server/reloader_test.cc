#include <ringwall/server/reloader.h>

#include <atomic>
#include <future>
#include <memory>
#include <semaphore>
#include <string>
#include <thread>

#include "unit/catch.h"

using namespace ringwall;
using namespace ringwall::server;

namespace {

// Reloads that begin and end when the test says so.
struct Bench {
  std::counting_semaphore<> begun{0};
  std::counting_semaphore<> may_end{0};
  std::atomic<int> count = 0;
  Reloader reloader{[this]() -> Reloader::Outcome {
    begun.release();
    may_end.acquire();
    const int number = ++count;
    if (number == 2) return fail("the second");
    return std::to_string(number);
  }};

  std::future<std::string> ask() {
    auto promise = std::make_shared<std::promise<std::string>>();
    std::future<std::string> told = promise->get_future();
    reloader.ask([promise](const Reloader::Outcome& outcome) {
      promise->set_value(outcome ? *outcome : outcome.error().message);
    });
    return told;
  }
};

}  // namespace

TEST_CASE("who asks for a reload during one gets the next one, and shares it") {
  Bench bench;
  REQUIRE(bench.reloader.start());
  std::future<std::string> first = bench.ask();
  bench.begun.acquire();
  std::future<std::string> second = bench.ask();
  std::future<std::string> third = bench.ask();
  bench.may_end.release();
  CHECK(first.get() == "1");
  bench.begun.acquire();
  bench.may_end.release();
  CHECK(second.get() == "the second");
  CHECK(third.get() == "the second");
  CHECK(bench.count == 2);
  CHECK(bench.reloader.counts().ok == 1);
  CHECK(bench.reloader.counts().refused == 1);
}

TEST_CASE("who waits for a reload when the end comes is told, and so is who asks later") {
  Bench bench;
  REQUIRE(bench.reloader.start());
  std::future<std::string> first = bench.ask();
  bench.begun.acquire();
  std::future<std::string> second = bench.ask();
  std::thread stopping([&] { bench.reloader.stop(); });
  bench.may_end.release(2);  // the second may have begun before the end was asked for
  CHECK(first.get() == "1");
  const std::string told = second.get();
  CHECK((told == "the second" || told.find("stopping") != told.npos));
  stopping.join();
  CHECK(bench.ask().get().find("stopping") != std::string::npos);
}
