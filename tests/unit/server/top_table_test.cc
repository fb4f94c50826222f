#include <ringwall/server/top_table.h>

#include <string>
#include <vector>

#include "unit/catch.h"

using namespace ringwall::server;

namespace {

std::vector<std::string> texts(const std::vector<ScreenLine>& lines) {
  std::vector<std::string> made;
  for (const ScreenLine& line : lines) made.push_back(line.text);
  return made;
}

Table people() {
  Table table({{.title = "name", .is_left = true, .width_min = 6},
               {.title = "age"},
               {.title = "shoes", .rank = 2},
               {.title = "hat", .rank = 1},
               {.title = "note", .is_left = true, .width_min = 5}});
  table.add({"Bartholomew", "7", "31", "50", ""});
  table.add({"Eve", "100", "38", "", ""});
  return table;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("columns are as wide as what is in them, and one without anything is left out") {
  CHECK(texts(people().lines(80)) == Texts{"name         age  shoes  hat",  //
                                           "Bartholomew    7     31   50",  //
                                           "Eve          100     38"});
}

TEST_CASE("where there is no room what may be cut is cut first, then columns go, the greatest rank first") {
  CHECK(texts(people().lines(27)) == Texts{"name        age  shoes  hat",  //
                                           "Bartholom…    7     31   50",  //
                                           "Eve         100     38"});
  CHECK(texts(people().lines(21)) == Texts{"name         age  hat",  //
                                           "Bartholomew    7   50",  //
                                           "Eve          100"});
  CHECK(texts(people().lines(12)) == Texts{"name     age",  //
                                           "Bartho…    7",  //
                                           "Eve      100"});
}

TEST_CASE("no line is longer than the terminal, however narrow") {
  for (std::size_t columns = 0; columns < 40; ++columns) {
    for (const ScreenLine& line : people().lines(columns)) CHECK(width_of(line.text) <= columns);
  }
}

TEST_CASE("a cell of several bytes a character is as wide as its characters, and is not cut within one") {
  CHECK(width_of("Zürich") == 6);
  CHECK(cut("Zürich", 6) == "Zürich");
  CHECK(cut("Zürich", 3) == "Zü…");
  CHECK(cut("Zürich", 1) == "…");
  CHECK(cut("Zürich", 0).empty());
}

TEST_CASE("the last column gets what is left") {
  Table table({{.title = "name", .is_left = true}, {.title = "why", .is_left = true, .width_min = 4}});
  table.add({"node", "the node takes no connection"}, Mood::alarm);
  CHECK(texts(table.lines(20)) == Texts{"name  why", "node  the node take…"});
  CHECK(table.lines(20)[1].mood == Mood::alarm);
  CHECK(texts(table.lines(80))[1] == "node  the node takes no connection");
}

TEST_CASE("a table without rows has its heading") {
  const Table table({{.title = "name", .is_left = true}, {.title = "age"}});
  CHECK(texts(table.lines(80)) == Texts{"name  age"});
}
