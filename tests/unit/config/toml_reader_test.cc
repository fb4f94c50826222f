#include <ringwall/config/toml_reader.h>

#include <algorithm>

#include "unit/catch.h"

using namespace ringwall::config;

namespace {

std::vector<Given> read(std::string_view text) {
  auto given = read_toml(text, "ringwall.toml");
  REQUIRE(given);
  return *given;
}

const Given& at(const std::vector<Given>& given, const std::string& path) {
  const auto found = std::ranges::find_if(given, [&path](const Given& one) { return to_text(one.path) == path; });
  REQUIRE(found != given.end());
  return *found;
}

std::string key_of_parts(std::size_t count) {
  std::string key = "a";
  for (std::size_t i = 1; i < count; ++i) {
    key += ".a";
  }
  return key;
}

}  // namespace

TEST_CASE("each value comes with its name, its shape and its line") {
  const std::vector<Given> given =
      read("[server]\nshards = 4\nuser = 'r'\n\n[[listener]]\nself_signed = [\"a\", 'b']\n");
  CHECK(at(given, "server").shape == Shape::section);
  CHECK(at(given, "server").place.line == 1);
  CHECK(at(given, "server.shards").shape == Shape::integer);
  CHECK(at(given, "server.shards").text == "4");
  CHECK(at(given, "server.shards").place.line == 2);
  CHECK(at(given, "server.user").shape == Shape::string);
  CHECK(at(given, "server.user").place.file == "ringwall.toml");
  CHECK(at(given, "listener[0]").place.line == 5);
  CHECK(at(given, "listener[0].self_signed").items == std::vector<std::string>{"a", "b"});
  CHECK(at(given, "listener[0].self_signed").place.line == 6);
}

TEST_CASE("repeated tables are counted, and a table comes before what is in it") {
  const std::vector<Given> given =
      read("[[listener]]\n[[listener.route]]\nsni='a'\n[[listener.route]]\n[[listener]]\n");
  CHECK(at(given, "listener[0].route[1]").shape == Shape::section);
  CHECK(at(given, "listener[1]").shape == Shape::section);
  const auto position = [&](const char* path) { return &at(given, path) - given.data(); };
  CHECK(position("listener[0]") < position("listener[0].route[0]"));
  CHECK(position("listener[0].route[0]") < position("listener[0].route[0].sni"));
}

TEST_CASE("what no field takes is described") {
  const std::vector<Given> given = read("a = true\nb = 1.5\nc = 2024-01-01\nd = [1]\ne = [[1]]\nf = -3");
  CHECK(at(given, "a").text == "true");
  CHECK(at(given, "b").text == "a fraction");
  CHECK(at(given, "c").text == "a date or a time");
  CHECK(at(given, "d").text == "a list with an integer in it");
  CHECK(at(given, "e").text == "a list with a list in it");
  CHECK(at(given, "f").text == "-3");
}

TEST_CASE("a text that is not TOML gives one problem with its line") {
  for (const char* text : {"a = 1\nb = \n", "a = 1\na = 2\n", "a = 1\n[x\n", "a = 1\nb = \"x\n", "a = 1\nb = 08\n"}) {
    INFO(text);
    const auto given = read_toml(text, "ringwall.toml");
    REQUIRE_FALSE(given);
    CHECK(given.error().line == 2);
    CHECK(given.error().file == "ringwall.toml");
  }
}

TEST_CASE("a text that is not UTF-8 is refused") {
  CHECK_FALSE(read_toml("a = \"\xff\"\n", "ringwall.toml"));
  CHECK_FALSE(read_toml("a = \"\xed\xa0\x80\"\n", "ringwall.toml"));
  CHECK(read_toml("a = \"\xc3\xb6\"\n", "ringwall.toml"));
}

TEST_CASE("what brings the parser to an end of its own is refused with its line") {
  for (const char* text : {"a = 1\n[[[b]\n", "a = 1\n[[[b]\nc = 1\n[[[d]",
                           "a = 1\n[[=", "a = 1\nb\xc9\xa4 = 1\nc = 1\n", "a = 1\n\xc2\xa0 b = 1\n"}) {
    INFO(text);
    const auto given = read_toml(text, "ringwall.toml");
    REQUIRE_FALSE(given);
    CHECK(given.error().line == 2);
  }
  CHECK_FALSE(read_toml("a = \"\"\"\\\n\xc9\xa4 \\ \xc9\xa4\"\"\"\n", "ringwall.toml"));
}

TEST_CASE("values nested as deep as can be do not take the stack") {
  std::string text;
  for (int depth = 0; depth < 2'000; ++depth) {
    text += "{ " + key_of_parts(16) + " = [\n";
  }
  CHECK_FALSE(read_toml("a = " + text, "ringwall.toml"));
  std::string closed = "a = ";
  for (int depth = 0; depth < 120; ++depth) {
    closed += "[{ " + key_of_parts(16) + " = ";
  }
  closed += "1";
  for (int depth = 0; depth < 120; ++depth) {
    closed += " }]";
  }
  CHECK(read_toml(closed + "\n", "ringwall.toml"));
}

TEST_CASE("a text cut at any byte is either read or refused") {
  const std::string text = "[[listener]]\r\nself_signed = [\"a\\u0041\", '''b'''] # c\n[limits]\nx.\"y.z\" = 1_0\n";
  for (std::size_t bytes = 0; bytes <= text.size(); ++bytes) {
    const auto given = read_toml(std::string_view(text).substr(0, bytes), "ringwall.toml");
    CHECK((given.has_value() || given.error().line > 0));
  }
}

TEST_CASE("a key has at most 16 parts, wherever it stands") {
  const std::string good = key_of_parts(16);
  const std::string bad = key_of_parts(17);
  CHECK(line_of_deep_key(good + " = 1") == 0);
  CHECK(line_of_deep_key(bad + " = 1") == 1);
  CHECK(line_of_deep_key("\n[" + bad + "]") == 2);
  CHECK(line_of_deep_key("\nx = { " + good + " = 1, " + bad + " = 1 }") == 2);
  CHECK(line_of_deep_key("x = 1\n" + good + " = 1\n" + good + " = 1") == 0);
  CHECK_FALSE(read_toml(bad + " = 1", "ringwall.toml"));
}

TEST_CASE("points in strings and comments are no parts of a key") {
  const std::string dots(40, '.');
  for (const std::string& text :
       {"# " + dots, "x = \"" + dots + "\"", "x = '" + dots + "'", "x = \"\\\"" + dots + "\"", "x = '\\' # " + dots,
        "x = \"\"\"\n\"" + dots + "\"\"\"\"\"", "x = '''\n'" + dots + "'''''", "\"" + dots + "\" = 1"}) {
    INFO(text);
    CHECK(line_of_deep_key(text + "\n") == 0);
    CHECK(read_toml(text + "\n", "ringwall.toml"));
    CHECK(line_of_deep_key(text + "\n" + key_of_parts(17) + " = 1") > 1);
  }
}

TEST_CASE("a long line of points is refused and does not take the stack") {
  const std::string key = key_of_parts(500'000);
  const auto given = read_toml(key + " = 1", "ringwall.toml");
  REQUIRE_FALSE(given);
  CHECK(given.error().expected == "at most 16");
}
