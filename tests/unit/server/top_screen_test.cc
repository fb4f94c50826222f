#include <ringwall/server/top_screen.h>

#include <string>
#include <vector>

#include "unit/catch.h"

using namespace ringwall;
using namespace ringwall::server;

namespace {

struct Node {
  std::string name = "node";
  bool healthy = true;
  std::string state = "up";
  std::string why = "";
  std::string ejected_left_s = "null";
  std::string best = "4100";
};

std::string json_of(const Node& node) {
  return R"({"name":")" + node.name + R"(","healthy":)" + (node.healthy ? "true" : "false") + R"(,"state":")" +
         node.state + R"(","why":")" + node.why + R"(","places":2,"places_max":500,"at_limit":false,"best_block":)" +
         node.best + R"(,"finalized_block":4098,"lag_blocks":3,"peers":12,"latency_s":0.0021,"ejected_left_s":)" +
         node.ejected_left_s + "}";
}

std::string upstream(const std::string& name, const std::vector<Node>& nodes) {
  std::string list;
  for (const Node& node : nodes) list += (list.empty() ? "" : ",") + json_of(node);
  return R"({"name":")" + name + R"(","healthy":true,"places":4,"nodes":[)" + list + "]}";
}

const std::string shard_row = R"("connections":3,"kernel_s":0,"idle_s":0,"backlog_bytes":0,"backlog_bytes_max":1024,)"
                              R"("assembly_bytes":0,"assembly_bytes_max":1024})";

struct Status {
  int forwarded = 10;
  int handlers_s = 0;
  int start_s = 1;
  std::size_t shards = 1;
  bool up = true;
  std::string not_ready = "";
  std::string upstreams = upstream("node", {Node{}});

  [[nodiscard]] std::string json() const {
    std::string rows;
    for (std::size_t index = 0; index < shards; ++index) {
      rows += (rows.empty() ? "" : ",") + std::string(R"({"up":)") + (up ? "true" : "false") + R"(,"handlers_s":)" +
              std::to_string(handlers_s) + "," + shard_row;
    }
    return R"({"version":"1.2.3","start_s":)" + std::to_string(start_s) + R"(,"ready":)" +
           (not_ready.empty() ? "true" : "false") + R"(,"why":")" + not_ready +
           R"(","resident_bytes":1048576,"connections":3,"relays":2,"opened":10,"units":0,"client_received_bytes":0,)"
           R"("client_sent_bytes":2048,"calls":{"forwarded":)" +
           std::to_string(forwarded) +
           R"(,"answered":0,"unsafe":0,"not_offered":0,"invalid":0,"batch_refused":0,"over_limit":0},"shards":[)" +
           rows + R"(],"upstreams":[)" + upstreams + "]}";
  }
};

std::string talkers(int count = 1) {
  std::string rows;
  for (int index = 1; index <= count; ++index) {
    rows += (rows.empty() ? "" : ",") + std::string(R"({"client":"192.0.2.)") + std::to_string(index) +
            R"(","sessions":3,"calls":8,"units":40,"received_bytes":2048,"sent_bytes":0})";
  }
  return R"({"over_s":2,"clients":)" + std::to_string(count) + R"(,"top":[)" + rows + "]}";
}

struct Screen {
  std::string text;
  std::vector<ScreenLine> lines;
};

Screen show(const Status& before, const Status& now, TopInput input = {}, const std::string& top = talkers()) {
  const std::string then = before.json(), later = now.json();
  input.before = then;
  input.now = later;
  input.talkers = top;
  auto lines = top_screen(input);
  REQUIRE(lines.has_value());
  Screen screen{.lines = std::move(*lines)};
  for (const ScreenLine& line : screen.lines) screen.text += line.text + "\n";
  return screen;
}

constexpr TopInput large{.seconds = 2, .rows = 100, .columns = 200};

bool has(const Screen& screen, std::string_view text) { return screen.text.find(text) != std::string::npos; }

Mood mood_of(const Screen& screen, std::string_view start) {
  for (const ScreenLine& line : screen.lines) {
    if (line.text.starts_with(start)) return line.mood;
  }
  FAIL("no line starts with " << start);
  return Mood::plain;
}

}  // namespace

TEST_CASE("the screen tells what has changed, a second") {
  const Screen screen = show({.forwarded = 10, .handlers_s = 0}, {.forwarded = 30, .handlers_s = 1}, large);
  CHECK(has(screen, "3 open, 2 of them WebSockets"));
  CHECK(has(screen, "10.0/s to nodes"));
  CHECK(has(screen, "100 %"));
  CHECK(has(screen, "192.0.2.1         3      4.0     20.0  1.0 KiB    0 B"));
  CHECK(has(screen, "ringwall 1.2.3  ready"));
}

TEST_CASE("a counter that began anew is not told as a negative rate") {
  CHECK(has(show({.forwarded = 30}, {.forwarded = 10}, large), "0.0/s to nodes"));
}

TEST_CASE("another process is not compared with the one before it, whatever its shards") {
  const Screen screen = show({.forwarded = 10, .start_s = 1}, {.forwarded = 30, .start_s = 2, .shards = 3}, large);
  CHECK(has(screen, "0.0/s to nodes"));
}

TEST_CASE("a node is told with its place in the chain, and one that is ejected with how long it still is") {
  const Screen well = show({}, {}, large);
  CHECK(has(well, "node  state  connections  best  finalized  lag  peers  latency"));
  CHECK(has(well, "node  up        2 of 500  4100       4098    3     12   2.1 ms"));
  const Status bad{.upstreams = upstream("node", {{.healthy = false, .state = "ejected", .ejected_left_s = "8.4"}})};
  const Screen ejected = show(bad, bad, large);
  CHECK(has(ejected, "ejected for 8 s"));
  CHECK(mood_of(ejected, "node  ejected") == Mood::alarm);
}

TEST_CASE("what a node does not tell is left empty") {
  const Status silent{.upstreams = upstream("node", {{.best = "null"}})};
  CHECK_FALSE(has(show(silent, silent, large), "best"));
}

TEST_CASE("of several nodes the upstream tells how many are healthy, and the worst come first") {
  const Node good{.name = "kusama at 10.0.0.1:9944"};
  const Node bad{.name = "kusama at 10.0.0.2:9944", .healthy = false, .state = "failing", .why = "no connection"};
  const Status status{.upstreams = upstream("node", {Node{}}) + "," + upstream("kusama", {good, bad})};
  const Screen screen = show(status, status, large);
  CHECK(has(screen, "1 of 2 healthy"));
  CHECK(screen.text.find("kusama") < screen.text.find("  10.0.0.2:9944  failing"));
  CHECK(screen.text.find("  10.0.0.2:9944  failing") < screen.text.find("  10.0.0.1:9944  up"));
  CHECK(screen.text.find("  10.0.0.1:9944  up") < screen.text.rfind("\nnode  "));
  CHECK(has(screen, "no connection"));
  CHECK(mood_of(screen, "kusama") == Mood::warning);
  CHECK(mood_of(screen, "  10.0.0.2:9944") == Mood::alarm);
}

TEST_CASE("what is wrong with all of it stands at the top") {
  const Screen screen = show({}, {.not_ready = "no healthy node: node"}, large);
  CHECK(has(screen, "NOT READY"));
  CHECK(mood_of(screen, "not ready: no healthy node: node") == Mood::alarm);
  TopInput away = large;
  away.trouble = "connection refused\n\x1b[2J";
  away.silent_s = 75;
  const Screen old = show({}, {}, away);
  CHECK(old.lines[0].text == "NO ANSWER for 1 min 15 s: what follows is old");
  CHECK(old.lines[1].text == R"(connection refused\n\x1b[2J)");
  CHECK((old.lines[0].mood == Mood::alarm && old.lines[1].mood == Mood::alarm));
}

TEST_CASE("a shard that does not answer is told as silent") {
  const Screen screen = show({}, {.up = false}, large);
  CHECK(has(screen, "silent"));
  CHECK(mood_of(screen, "    0") == Mood::alarm);
}

TEST_CASE("what a node said steers no terminal") {
  const Status status{.upstreams = upstream("node", {{.healthy = false, .state = "failing", .why = "\\u001b[2J\\n"}})};
  const Screen screen = show(status, status, large);
  CHECK_FALSE(has(screen, "\x1b"));
  CHECK(has(screen, R"(\x1b[2J\n)"));
}

TEST_CASE("the screen is no larger than the terminal, and says what is missing") {
  const Status many{.shards = 64};
  for (std::size_t rows = 0; rows < 60; ++rows) {
    for (const std::size_t columns : {std::size_t{0}, std::size_t{1}, std::size_t{20}, std::size_t{80}}) {
      const Screen screen = show(many, many, {.rows = rows, .columns = columns}, talkers(20));
      CHECK(screen.lines.size() <= rows);
      for (const ScreenLine& line : screen.lines) CHECK(width_of(line.text) <= columns);
    }
  }
  const Screen small = show(many, many, {.rows = 24, .columns = 80}, talkers(20));
  CHECK(small.lines.size() == 24);
  CHECK(has(small, "192.0.2.1 "));
  CHECK(has(small, "node  up"));
  CHECK(has(small, "… 59 more"));
  CHECK(has(small, "… 14 more"));
}

TEST_CASE("in a very small terminal the nodes are what stays") {
  const Status many{.shards = 64};
  const Screen tiny = show(many, many, {.rows = 8, .columns = 80}, talkers(20));
  CHECK(has(tiny, "node  up"));
  CHECK_FALSE(has(tiny, "shard"));
  CHECK_FALSE(has(tiny, "192.0.2.1"));
}

TEST_CASE("answers of something else are an error, not an exception") {
  const std::string now = Status{}.json(), top = talkers();
  for (const std::string& wrong : {std::string("{}"), std::string("no JSON"), std::string("[]"), std::string()}) {
    CHECK_FALSE(top_screen({.before = now, .now = wrong, .talkers = top}).has_value());
    CHECK_FALSE(top_screen({.before = now, .now = now, .talkers = wrong}).has_value());
  }
}
