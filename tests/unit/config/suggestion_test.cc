#include <ringwall/config/suggestion.h>

#include <vector>

#include "unit/catch.h"

using ringwall::config::nearest;

TEST_CASE("the nearest name is found across letters changed, missing, added and swapped") {
  const std::vector<std::string> known{"timeouts.head_ms", "timeouts.body_ms", "limits.head_bytes_max"};
  for (const char* name : {"timeouts.haed_ms", "timeout.head_ms", "timeouts.head_mss", "timeouts.heed_ms"}) {
    INFO(name);
    CHECK(nearest(name, known) == "timeouts.head_ms");
  }
}

TEST_CASE("of equally near names the first one is suggested") {
  CHECK(nearest("cat", std::vector<std::string>{"car", "cut"}) == "car");
}

TEST_CASE("nothing is suggested for what is far from every name") {
  const std::vector<std::string> known{"node"};
  CHECK_FALSE(nearest("kusama", known));
  CHECK_FALSE(nearest("", known));
  CHECK_FALSE(nearest(std::string(65, 'n'), known));
  CHECK_FALSE(nearest("node", std::vector<std::string>{}));
}
