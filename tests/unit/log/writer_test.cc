// The log of a process, in child processes whose standard error is a pipe.
#include <ringwall/log/log.h>
#include <ringwall/log/writer.h>

#include "unit/catch.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <string>
#include <thread>

namespace ringwall::log {
namespace {

// A child with standard error on a pipe that takes 4,096 bytes; `act` gets the end that reads.
class Child {
 public:
  explicit Child(const std::function<void()>& act) {
    int ends[2];
    REQUIRE(pipe(ends) == 0);
    REQUIRE(fcntl(ends[1], F_SETPIPE_SZ, 4'096) >= 0);
    pid_ = fork();
    if (pid_ == 0) {
      close(ends[0]);
      dup2(ends[1], STDERR_FILENO);
      act();
      _exit(0);
    }
    close(ends[1]);
    read_end_ = ends[0];
  }
  ~Child() { close(read_end_); }

  [[nodiscard]] std::string read_all() const {
    std::string text;
    char buffer[4'096];
    for (ssize_t bytes = 0; (bytes = ::read(read_end_, buffer, sizeof buffer)) > 0;) {
      text.append(buffer, static_cast<std::size_t>(bytes));
    }
    return text;
  }
  [[nodiscard]] int exit_status() const {
    int status = 0;
    waitpid(pid_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_;
  int read_end_ = -1;
};

void require(bool condition) {
  if (!condition) _exit(1);
}

std::size_t count_of(std::string_view text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(part, at)) != text.npos; at += part.size()) ++count;
  return count;
}

TEST_CASE("all threads' lines come out, before, while and after there is a writer") {
  const Child child([] {
    set_up(Format::text, Level::info);
    info("e", "before");
    {
      auto writer = Writer::start(2);
      require(writer.has_value());
      const auto talk = [&](std::size_t lane) {
        (*writer)->use_lane(lane);
        for (int count = 0; count < 20; ++count) info("e", "from a lane", {{"lane", std::uint64_t{lane}}});
      };
      std::thread first(talk, 0);
      std::thread second(talk, 1);
      warning("e", "from no lane");
      first.join();
      second.join();
    }
    error("e", "after");
  });
  const std::string text = child.read_all();
  CHECK(child.exit_status() == 0);
  CHECK(count_of(text, "\n") == 43);
  CHECK(text.find(" info before\n") != text.npos);
  CHECK(count_of(text, " info from a lane lane=0\n") == 20);
  CHECK(count_of(text, " info from a lane lane=1\n") == 20);
  CHECK(text.find(" warning from no lane\n") != text.npos);
  CHECK(text.ends_with(" error after\n"));
}

TEST_CASE("the level holds from the next line on, for all threads") {
  const Child child([] {
    set_up(Format::text, Level::warning);
    info("e", "one");
    auto writer = Writer::start(1);
    std::thread([&] {
      (*writer)->use_lane(0);
      info("e", "two");
      set_level(Level::debug);
      require(wants(Level::debug) && level() == Level::debug);
      debug("e", "three");
    }).join();
    debug("e", "four");
    set_level(Level::error);
    require(!wants(Level::warning) && wants(Level::error));
    warning("e", "five");
  });
  const std::string text = child.read_all();
  CHECK(child.exit_status() == 0);
  CHECK(count_of(text, "\n") == 2);
  CHECK((text.find(" debug three\n") != text.npos && text.find(" debug four\n") != text.npos));
}

TEST_CASE("while nobody reads no thread waits, and what was dropped is told once somebody does") {
  int reads[2];
  int goes_on[2];
  REQUIRE((pipe(reads) == 0 && pipe(goes_on) == 0));
  const Child child([&] {
    close(reads[1]);  // else its end is never seen where the parent's is gone
    set_up(Format::text, Level::info);
    auto writer = Writer::start(1);
    std::thread([&] {
      (*writer)->use_lane(0);
      const std::string sentence(500, 'x');
      for (int count = 0; count < 1'000; ++count) info("e", sentence);  // half a megabyte
    }).join();
    require(lines_dropped() > 500);
    require(::write(goes_on[1], "x", 1) == 1);
    char byte;
    require(::read(reads[0], &byte, 1) == 1);  // the parent reads
    warning("e", "at last");
  });
  char byte;
  REQUIRE(::read(goes_on[0], &byte, 1) == 1);
  REQUIRE(::write(reads[1], "x", 1) == 1);
  const std::string text = child.read_all();
  CHECK(child.exit_status() == 0);
  const std::size_t told = count_of(text, " info xxx");
  CHECK(told < 500);
  CHECK(text.find(" warning at last\n") != text.npos);
  std::size_t dropped = 0;
  const std::string_view mark = "lines of the log were dropped: standard error was not read lines=";
  for (std::size_t at = 0; (at = text.find(mark, at)) != text.npos; at += mark.size()) {
    dropped += std::stoul(text.substr(at + mark.size()));
  }
  CHECK(told + dropped == 1'000);
  for (const int end : {reads[0], reads[1], goes_on[0], goes_on[1]}) close(end);
}

TEST_CASE("a process ends though nobody reads") {
  const Child child([] {
    set_up(Format::text, Level::info);
    auto writer = Writer::start(1);
    for (int count = 0; count < 1'000; ++count) info("e", std::string(500, 'x'));
    writer->reset();
    info("e", "a last word that nobody hears");
  });
  CHECK(child.exit_status() == 0);
}

TEST_CASE("a reader that has gone is no harm") {
  const Child child([] {
    signal(SIGPIPE, SIG_IGN);
    int ends[2];
    require(pipe(ends) == 0 && dup2(ends[1], STDERR_FILENO) == STDERR_FILENO);
    set_up(Format::text, Level::info);
    auto writer = Writer::start(1);
    require(writer.has_value());
    close(ends[0]);
    for (int count = 0; count < 10; ++count) info("e", "to nobody");
    writer->reset();
    info("e", "and another");
    require(lines_dropped() == 11);
  });
  CHECK(child.exit_status() == 0);
}

TEST_CASE("standard error of the journal gets severities") {
  const Child child([] {
    struct stat status{};
    require(fstat(STDERR_FILENO, &status) == 0);
    setenv("JOURNAL_STREAM", (std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino)).c_str(), 1);
    set_up(Format::text, Level::info);
    warning("e", "hear");
  });
  CHECK(child.read_all() == "<4>hear\n");
  const Child other([] {
    setenv("JOURNAL_STREAM", "1:1", 1);  // of a parent of ours, who was given another one
    warning("e", "hear");
  });
  CHECK(other.read_all().ends_with("Z warning hear\n"));
}

}  // namespace
}  // namespace ringwall::log
