#include "devnode/listener.h"

#include "unit/catch.h"

using namespace ringwall::devnode;

TEST_CASE("port 0 takes a free port and says which") {
  const auto listener = Listener::open("127.0.0.1:0");
  REQUIRE(listener);
  CHECK(listener->port() != 0);
  CHECK(listener->address() == "127.0.0.1:" + std::to_string(listener->port()));
  CHECK(!Listener::open(listener->address()));
}

TEST_CASE("what is no address and port is refused with the text that was given") {
  for (const char* address : {"", "9944", "localhost:9944", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536",
                              "127.0.0.1:1x", "::1:9944", "[::1:9944", "[]:9944"}) {
    INFO(address);
    const auto listener = Listener::open(address);
    REQUIRE(!listener);
    CHECK(listener.error().message.starts_with(std::string(address) + ":"));
  }
}
