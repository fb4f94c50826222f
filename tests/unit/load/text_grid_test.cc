#include "load/text_grid.h"

#include "load/json_text.h"
#include "load/live.h"
#include "unit/catch.h"

using namespace ringwall::load;

TEST_CASE("the first column stands left, the others right, widths in characters", "[text_grid]") {
  TextGrid grid({"call", "p50", "n"}, {});
  grid.add({"a", "12 µs", "1"});
  grid.add({"long name", "1 ms", "1,000"});
  CHECK(grid.text(80) ==
        "call         p50      n\n"
        "a          12 µs      1\n"
        "long name   1 ms  1,000\n");
}

TEST_CASE("where room is short columns go in their order, then the first is shortened", "[text_grid]") {
  TextGrid grid({"call", "aaa", "bbb", "ccc"}, {2, 1});
  grid.add({"a name of twenty-two c", "1", "2", "3"});
  CHECK(grid.text(37).starts_with("call                    aaa  bbb  ccc\n"));
  CHECK(grid.text(36).starts_with("call                    aaa  ccc\n"));
  CHECK(grid.text(31).starts_with("call                    ccc\n"));
  CHECK(grid.text(26) == "call                   ccc\na name of twenty-two…    3\n");
  CHECK(grid.text(1) == "call          ccc\na name of t…    3\n");
}

TEST_CASE("a text is shortened between characters", "[text_grid]") {
  CHECK(shortened("µµµµ", 4) == "µµµµ");
  CHECK(shortened("µµµµ", 3) == "µµ…");
  CHECK(width_of("µ…a") == 3);
}

TEST_CASE("an excerpt has no control characters and no broken UTF-8", "[text_grid]") {
  CHECK(excerpt("plain é") == "plain é");
  CHECK(excerpt("a\x1b[31m\n\x7f") == "a?[31m??");
  CHECK(excerpt("a\xff\xc3") == "a??");
  CHECK(excerpt("a\xc2\x9bz") == "a?z");
  CHECK(excerpt("aééé", 4) == "aé…");
  CHECK(excerpt("aééé", 6) == "aéé…");
  CHECK(excerpt("aééé", 7) == "aééé");
}

TEST_CASE("JSON text is escaped where it must be", "[text_grid]") {
  CHECK(json_escaped("a\"b\\c\n\x01é") == "a\\\"b\\\\c\\u000a\\u0001é");
}

TEST_CASE("the live line tells what goes on", "[text_grid]") {
  Progress progress;
  progress.connections_wanted = 1000;
  progress.last.connections = 12;
  CHECK(live_line(progress) == "connecting  12 of 1,000 open  errors 0");
  progress.phase = Progress::Phase::measuring;
  progress.left_s = 7.2;
  progress.errors = 3;
  progress.last = {.answers = 12'345, .p50_ns = 1'250'000, .p99_ns = 8'310'000};
  CHECK(live_line(progress) == "measuring  12,345/s  p50 1.25 ms  p99 8.31 ms  errors 3  8 s left");
  progress.last.target_rate = 20'000;
  CHECK(live_line(progress) == "measuring  12,345 of 20,000/s  p50 1.25 ms  p99 8.31 ms  errors 3  8 s left");
  progress.phase = Progress::Phase::warmup;
  progress.last.connections = 1000;
  CHECK(live_line(progress) == "warming up  1,000 connections open  8 s left");
}
