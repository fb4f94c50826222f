#include <ringwall/config/route.h>

#include "unit/catch.h"

using namespace ringwall::config;

namespace {

Route route(std::string sni, std::string path, std::size_t upstream_index, std::optional<Mode> mode = {}) {
  return {.sni = std::move(sni), .path = std::move(path), .mode = mode, .upstream_index = upstream_index};
}

}  // namespace

TEST_CASE("without routes the listener's own upstream and mode are used") {
  const Listener listener{.mode = Mode::tunnel, .upstream_index = 3};
  CHECK(destination(listener, "", "/") == Destination{3, Mode::tunnel});
}

TEST_CASE("the first route that matches in both name and path decides") {
  const Listener listener{
      .routes = {route("a.example.com", "/ws", 1), route("a.example.com", "", 2), route("", "", 3)}};
  CHECK(destination(listener, "a.example.com", "/ws").upstream_index == 1);
  CHECK(destination(listener, "a.example.com", "/").upstream_index == 2);
  CHECK(destination(listener, "b.example.com", "/ws").upstream_index == 3);
  CHECK(destination(listener, "", "/").upstream_index == 3);
}

TEST_CASE("a route's mode goes over the listener's") {
  const Listener listener{.routes = {route("", "/p2p", 0, Mode::tunnel), route("", "/rpc", 0)}};
  CHECK(destination(listener, "", "/p2p").mode == Mode::tunnel);
  CHECK(destination(listener, "", "/rpc").mode == Mode::rpc);
}

TEST_CASE("a server name is compared without regard to case, a path with it") {
  const Listener listener{.routes = {route("a.example.com", "/Ws", 1)}};
  CHECK(destination(listener, "A.EXAMPLE.com", "/Ws").upstream_index == 1);
  CHECK(destination(listener, "a.example.com", "/ws").upstream_index == 0);
}

TEST_CASE("a wildcard stands for exactly one label") {
  const Listener listener{.routes = {route("*.example.com", "", 1)}};
  CHECK(destination(listener, "a.example.com", "/").upstream_index == 1);
  CHECK(destination(listener, "A.Example.COM", "/").upstream_index == 1);
  for (const char* sni : {"", "example.com", ".example.com", "a.b.example.com", "aexample.com", "a.example.com.org"}) {
    INFO(sni);
    CHECK(destination(listener, sni, "/").upstream_index == 0);
  }
}

TEST_CASE("a path is exact, or a prefix before a star") {
  const Listener exact{.routes = {route("", "/ws", 1)}};
  CHECK(destination(exact, "", "/ws").upstream_index == 1);
  CHECK(destination(exact, "", "/ws/").upstream_index == 0);
  const Listener prefix{.routes = {route("", "/ws*", 1)}};
  CHECK(destination(prefix, "", "/ws").upstream_index == 1);
  CHECK(destination(prefix, "", "/ws/1").upstream_index == 1);
  CHECK(destination(prefix, "", "/w").upstream_index == 0);
}

TEST_CASE("an upstream serves RPC when some listener or route says so, and a redirect says nothing") {
  const Listener p2p{.mode = Mode::tunnel, .routes = {route("", "/rpc", 1, Mode::rpc)}, .upstream_index = 0};
  const Listener rpc{.routes = {route("", "/p2p", 3, Mode::tunnel), route("", "/other", 4)}, .upstream_index = 2};
  const Listener redirect{.kind = ListenerKind::redirect, .upstream_index = 0};
  const Config config{.listeners = {redirect, p2p, rpc}};
  const std::vector<bool> expected{false, true, true, false, true, false};
  for (std::size_t index = 0; index < expected.size(); ++index) {
    INFO(index);
    CHECK(serves_rpc(config, index) == expected[index]);
  }
}
