#include "devnode/raw_json.h"

#include <string>
#include <vector>

#include "unit/catch.h"

using namespace ringwall::devnode;

namespace {

std::vector<std::string> values_of(std::string_view text) {
  std::vector<std::string> values;
  std::string_view rest = raw_inside(text);
  for (std::string_view value = take_raw_value(rest); !value.empty(); value = take_raw_value(rest)) {
    values.emplace_back(value);
  }
  return values;
}

using Values = std::vector<std::string>;

}  // namespace

TEST_CASE("values are given as they were written, whatever space is around them") {
  CHECK(values_of(R"( [1,"a" , -2.50e3 ,true,null ] )") == Values{"1", R"("a")", "-2.50e3", "true", "null"});
  CHECK(values_of("[]").empty());
  CHECK(values_of("[ \n ]").empty());
}

TEST_CASE("members of an object are keys and values in turn") {
  CHECK(values_of(R"({"a":1,"b":{"c":[2,3]},"d":[]})") ==
        Values{R"("a")", "1", R"("b")", R"({"c":[2,3]})", R"("d")", "[]"});
}

TEST_CASE("brackets and quotes inside strings end nothing") {
  CHECK(values_of(R"([{"a]}\"":"[{"},"\\",2])") == Values{R"({"a]}\"":"[{"})", R"("\\")", "2"});
}
