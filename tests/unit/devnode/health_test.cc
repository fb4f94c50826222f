// What the node says of its health, and what changes it.
#include "unit/catch.h"
#include "unit/devnode/fixture.h"

using namespace ringwall::devnode;

TEST_CASE("system_health is what it was set to") {
  Fixture fixture;
  CHECK(fixture.call("system_health") == R"("result":{"peers":0,"isSyncing":false,"shouldHavePeers":false})");
  CHECK(fixture.call("dev_setHealth", R"([{"peers":7,"isSyncing":true,"shouldHavePeers":true}])") ==
        R"("result":null)");
  CHECK(fixture.call("system_health") == R"("result":{"peers":7,"isSyncing":true,"shouldHavePeers":true})");
}

TEST_CASE("half of a health, and what is none, change nothing") {
  Fixture fixture;
  for (const char* params :
       {"[]", "[7]", R"([{"peers":1}])", R"([{"peers":-1,"isSyncing":true,"shouldHavePeers":true}])"}) {
    INFO(params);
    CHECK(fixture.call("dev_setHealth", params).find("-32602") != std::string::npos);
  }
  CHECK(fixture.call("system_health") == R"("result":{"peers":0,"isSyncing":false,"shouldHavePeers":false})");
}

TEST_CASE("blocks are held, and go on") {
  Fixture fixture;
  CHECK(fixture.call("dev_holdBlocks", "[true]") == R"("result":null)");
  CHECK(fixture.node.holds_blocks);
  CHECK(fixture.call("dev_holdBlocks", "[1]").find("-32602") != std::string::npos);
  CHECK(fixture.node.holds_blocks);
  CHECK(fixture.call("dev_holdBlocks", "[false]") == R"("result":null)");
  CHECK_FALSE(fixture.node.holds_blocks);
}
