#include <ringwall/server/certificate_watch.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "temporary_folder.h"
#include "unit/catch.h"

namespace ringwall::server {
namespace {

using std::chrono::milliseconds;
using test::TemporaryFolder;

constexpr milliseconds never{3'600'000};
constexpr WatchPace fast{.rest = milliseconds(5),
                         .rest_max = milliseconds(20),
                         .retry = milliseconds(5),
                         .retry_for = milliseconds(200),
                         .look = never,
                         .day = never};

template <typename Condition>
bool comes(Condition is_there) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (!is_there() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(milliseconds(1));
  return is_there();
}

// A watch that counts what it is asked to do.
struct Watched {
  explicit Watched(const std::vector<std::string>& files, WatchPace pace = fast, bool starts = true) {
    auto made = CertificateWatch::create(
        files,
        [this] {
          ++reads;
          return is_good.load();
        },
        [this] { ++days; }, pace);
    REQUIRE(made);
    watch = std::move(*made);
    if (starts) REQUIRE(watch->start());
  }

  std::atomic<int> reads = 0;
  std::atomic<int> days = 0;
  std::atomic<bool> is_good = true;
  std::unique_ptr<CertificateWatch> watch;
};

TEST_CASE("a change is read, and so is the next one") {
  const TemporaryFolder folder;
  folder.write("key", "1");
  Watched watched({folder / "key"});
  for (int change = 1; change <= 3; ++change) {
    folder.write("key", std::to_string(change));
    CHECK(comes([&] { return watched.reads >= change; }));
  }
}

TEST_CASE("a change before the start is read after it, under another list too") {
  for (const bool is_other : {false, true}) {
    const TemporaryFolder folder;
    folder.write("key", "1");
    Watched watched({folder / "key"}, fast, false);
    folder.write("key", "2");
    if (is_other) watched.watch->watch({folder / "key", folder / "kept"});
    REQUIRE(watched.watch->start());
    CHECK(comes([&] { return watched.reads > 0; }));
  }
}

TEST_CASE("changes that follow one another are read when they rest") {
  const TemporaryFolder folder;
  folder.write("key", "1");
  WatchPace pace = fast;
  pace.rest = milliseconds(100);
  pace.rest_max = never;
  Watched watched({folder / "key"}, pace);
  for (int change = 0; change < 20; ++change) folder.write("key", std::to_string(change));
  CHECK(comes([&] { return watched.reads > 0; }));
  CHECK(watched.reads < 20);
}

TEST_CASE("changes without end are read all the same") {
  const TemporaryFolder folder;
  folder.write("key", "1");
  WatchPace pace = fast;
  pace.rest = never;
  Watched watched({folder / "key"}, pace);
  folder.write("key", "2");
  CHECK(comes([&] { return watched.reads > 0; }));
}

TEST_CASE("what does not fit is tried again for a while, until it does") {
  const TemporaryFolder folder;
  folder.write("key", "1");
  WatchPace pace = fast;
  pace.retry_for = never;
  Watched watched({folder / "key"}, pace);
  watched.is_good = false;
  folder.write("key", "2");
  CHECK(comes([&] { return watched.reads >= 3; }));
  watched.is_good = true;
  const int before = watched.reads;
  CHECK(comes([&] { return watched.reads > before; }));
  const int last = watched.reads;
  std::this_thread::sleep_for(milliseconds(50));
  CHECK(watched.reads <= last + 1);
}

TEST_CASE("nothing is tried for ever") {
  const TemporaryFolder folder;
  folder.write("key", "1");
  WatchPace pace = fast;
  pace.retry_for = milliseconds(1);
  Watched watched({folder / "key"}, pace);
  watched.is_good = false;
  folder.write("key", "2");
  CHECK(comes([&] { return watched.reads >= 1; }));
  std::this_thread::sleep_for(milliseconds(50));
  CHECK(watched.reads == 1);
}

TEST_CASE("other files are watched from the moment they are named") {
  const TemporaryFolder folder;
  folder.write("one", "1");
  folder.write("two", "1");
  Watched watched({folder / "one"});
  watched.watch->watch({folder / "two"});
  CHECK(comes([&] {
    folder.write("two", "2");
    return watched.reads > 0;
  }));
}

TEST_CASE("a day is told after the files were read") {
  const TemporaryFolder folder;
  WatchPace pace = fast;
  pace.day = milliseconds(5);
  Watched watched({folder / "key"}, pace);
  CHECK(comes([&] { return watched.days >= 2; }));
  CHECK(watched.reads >= 2);
}

TEST_CASE("what inotify does not tell of, such as a folder that was not there, a look finds out") {
  const TemporaryFolder folder;
  folder.write("key", "1");
  WatchPace pace = fast;
  pace.look = milliseconds(5);
  Watched watched({folder / "no-such-folder/key"}, pace);
  folder.make_folder("no-such-folder");
  folder.write("no-such-folder/key", "1");
  CHECK(comes([&] { return watched.reads >= 1; }));
}

}  // namespace
}  // namespace ringwall::server
