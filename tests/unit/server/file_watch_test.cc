#include <ringwall/server/file_watch.h>

#include <poll.h>
#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <vector>

#include "temporary_folder.h"
#include "unit/catch.h"

namespace ringwall::server {
namespace {

using test::TemporaryFolder;
using Steps = std::vector<PathStep>;

// Whether there are events, and they are of the files.
bool tells(FileWatch& watch) {
  pollfd event{.fd = watch.descriptor(), .events = POLLIN, .revents = 0};
  return poll(&event, 1, 0) == 1 && watch.take();
}

void watch_one(FileWatch& watch, const std::string& file) { watch.watch(std::vector{file}); }

TEST_CASE("of a path without links only its file can come to be another") {
  const TemporaryFolder folder;
  folder.write("key", "1");
  CHECK(steps_of(folder / "key") == Steps{{folder.path, "key"}});
  CHECK(steps_of(folder / "./sub/..//key") == Steps{{folder.path, "key"}});
  CHECK(steps_of(folder / "not/there") == Steps{{folder / "not", "there"}});
}

TEST_CASE("each link on the way is a step, of certbot's kind and of Kubernetes'") {
  const TemporaryFolder folder;
  folder.make_folder("archive/a.example");
  folder.make_folder("live/a.example");
  folder.write("archive/a.example/key1.pem", "1");
  folder.link("../../archive/a.example/key1.pem", "live/a.example/key.pem");
  CHECK(steps_of(folder / "live/a.example/key.pem") ==
        Steps{{folder / "live/a.example", "key.pem"}, {folder / "archive/a.example", "key1.pem"}});
  folder.make_folder("..2026_1");
  folder.write("..2026_1/tls.key", "1");
  folder.link("..2026_1", "..data");
  folder.link("..data/tls.key", "tls.key");
  CHECK(steps_of(folder / "tls.key") ==
        Steps{{folder.path, "tls.key"}, {folder.path, "..data"}, {folder / "..2026_1", "tls.key"}});
  folder.link(folder / "..2026_1", "absolute");
  CHECK(steps_of(folder / "absolute/tls.key") == Steps{{folder.path, "absolute"}, {folder / "..2026_1", "tls.key"}});
}

TEST_CASE("links that lead in a circle have an end") {
  const TemporaryFolder folder;
  folder.link("b", "a");
  folder.link("a", "b");
  CHECK(steps_of(folder / "a").size() < 100);
}

TEST_CASE("a relative path begins in the working directory") {
  const std::string here = std::filesystem::canonical(std::filesystem::current_path()).string();
  CHECK(steps_of("no-such-file") == Steps{{here, "no-such-file"}});
}

TEST_CASE("a file that is written, renamed over, permitted or removed is told of, and its neighbours are not") {
  const TemporaryFolder folder;
  folder.write("key", "1");
  FileWatch watch;
  watch_one(watch, folder / "key");
  REQUIRE(watch.descriptor() >= 0);
  folder.write("other", "1");
  CHECK_FALSE(tells(watch));
  folder.write("key", "2");
  CHECK(tells(watch));
  CHECK_FALSE(tells(watch));
  folder.write("key.new", "3");
  folder.rename("key.new", "key");
  CHECK(tells(watch));
  REQUIRE(::chmod((folder / "key").c_str(), 0600) == 0);
  CHECK(tells(watch));
  std::filesystem::remove(folder / "key");
  CHECK(tells(watch));
  folder.write("key", "4");
  CHECK(tells(watch));
}

TEST_CASE("a link that leads elsewhere is told of, and once it is watched anew so is the file behind it") {
  const TemporaryFolder folder;
  folder.make_folder("..1");
  folder.make_folder("..2");
  folder.write("..1/key", "1");
  folder.write("..2/key", "2");
  folder.link("..1", "..data");
  folder.link("..data/key", "key");
  FileWatch watch;
  watch_one(watch, folder / "key");
  folder.write("..2/key", "3");
  CHECK_FALSE(tells(watch));
  folder.link("..2", "..data_tmp");
  folder.rename("..data_tmp", "..data");
  CHECK(tells(watch));
  watch_one(watch, folder / "key");
  folder.write("..1/key", "4");
  CHECK_FALSE(tells(watch));
  folder.write("..2/key", "5");
  CHECK(tells(watch));
}

TEST_CASE("a directory that is moved away is told of") {
  const TemporaryFolder folder;
  folder.make_folder("tls");
  folder.write("tls/key", "1");
  FileWatch watch;
  watch_one(watch, folder / "tls/key");
  folder.rename("tls", "gone");
  CHECK(tells(watch));
}

TEST_CASE("a look finds a change once, without any event") {
  const TemporaryFolder folder;
  folder.write("key", "1");
  FileWatch watch;
  watch_one(watch, folder / "key");
  CHECK_FALSE(watch.looks_changed());
  folder.write("key", "12");
  CHECK(watch.looks_changed());
  CHECK_FALSE(watch.looks_changed());
  std::filesystem::remove(folder / "key");
  CHECK(watch.looks_changed());
  CHECK_FALSE(watch.looks_changed());
  folder.write("key", "1");
  CHECK(watch.looks_changed());
  watch_one(watch, folder / "key");
  CHECK_FALSE(watch.looks_changed());
}

}  // namespace
}  // namespace ringwall::server
