// How the sources come together: precedence, defaults, what load() fills in. What it refuses is in problems_test.cc.
#include <ringwall/config/load.h>

#include <unistd.h>

#include "unit/catch.h"

using namespace ringwall::config;

namespace {

constexpr const char* minimal = "[[listener]]\nself_signed = ['localhost']\n";

Sources from_text(std::string text) { return {.file = "ringwall.toml", .text = std::move(text), .check_files = false}; }

Config loaded(const Sources& sources) {
  const auto config = load(sources);
  if (!config) {
    FAIL(to_text(config.error().front()));
  }
  return *config;
}

}  // namespace

TEST_CASE("the least configuration gets every default") {
  const Config config = loaded(from_text(minimal));
  CHECK(config.limits == Limits{});
  CHECK(config.timeouts == Timeouts{});
  CHECK(config.tls == Tls{});
  REQUIRE(config.upstreams.size() == 1);
  CHECK(config.upstreams[0] == Upstream{});
  REQUIRE(config.listeners.size() == 1);
  CHECK(config.listeners[0].address == Endpoint{"", 443});
  CHECK(config.listeners[0].upstream == "node");
  CHECK_FALSE(config.server.state_dir.empty());
}

TEST_CASE("who encrypts, and how much under a key, is written in [tls]") {
  const Config config = loaded(from_text(std::string(minimal) + "[tls]\noffload = 'kernel'\nrecords_per_key = 64\n"));
  CHECK(config.tls == Tls{.offload = Offload::kernel, .records_per_key = 64});
  Sources sources = from_text(minimal);
  sources.environment = {{"RINGWALL_TLS_OFFLOAD", "user"}, {"RINGWALL_TLS_RECORDS_PER_KEY", "16777216"}};
  CHECK(loaded(sources).tls == Tls{.offload = Offload::user, .records_per_key = 1 << 24});
  CHECK(loaded(from_text(minimal)).tls == Tls{.offload = Offload::automatic, .records_per_key = 1 << 24});
}

TEST_CASE("flags alone describe a listener and a node") {
  const Sources sources{.command_line = {{"--listen 127.0.0.1:8443", "listener[0].address", "127.0.0.1:8443"},
                                         {"--self-signed a", "listener[0].self_signed", "a.example.com,127.0.0.1"},
                                         {"--node node:1", "upstream[0].address", "node:1"}}};
  const Config config = loaded(sources);
  CHECK(config.listeners[0].address == Endpoint{"127.0.0.1", 8443});
  CHECK(config.listeners[0].self_signed == std::vector<std::string>{"a.example.com", "127.0.0.1"});
  CHECK(config.upstreams[0].address == Endpoint{"node", 1});
}

TEST_CASE("the command line goes over the environment, that over the file, that over the default") {
  Sources sources = from_text(std::string(minimal) + "[timeouts]\nhead_ms = '1s'\nbody_ms = '1s'\nsend_ms = '1s'\n");
  sources.environment = {{"RINGWALL_TIMEOUTS_BODY_MS", "2s"}, {"RINGWALL_TIMEOUTS_SEND_MS", "2s"}};
  sources.command_line = {{"--set timeouts.send_ms", "timeouts.send_ms", "3s"}};
  const Config config = loaded(sources);
  CHECK(config.timeouts.message_ms == 60'000);
  CHECK(config.timeouts.head_ms == 1'000);
  CHECK(config.timeouts.body_ms == 2'000);
  CHECK(config.timeouts.send_ms == 3'000);
}

TEST_CASE("of two settings on the command line the last one wins") {
  Sources sources = from_text(minimal);
  sources.command_line = {{"--set", "server.shards", "2"}, {"--set", "server.shards", "3"}};
  CHECK(loaded(sources).server.shards == 3);
}

TEST_CASE("a flag changes one field of a listener from the file and leaves the others") {
  Sources sources = from_text("[[listener]]\naddress = '127.0.0.1:1'\nself_signed = ['a']\nmode = 'tunnel'\n");
  sources.command_line = {{"--listen 127.0.0.1:2", "listener[0].address", "127.0.0.1:2"}};
  const Listener listener = loaded(sources).listeners[0];
  CHECK(listener.address.port == 2);
  CHECK(listener.mode == Mode::tunnel);
  CHECK(listener.self_signed == std::vector<std::string>{"a"});
}

TEST_CASE("variables make further elements in the order of their index, whatever the order of the environment") {
  Sources sources = from_text("");
  for (int i = 11; i >= 0; --i) {
    const std::string index = std::to_string(i);
    sources.environment.emplace_back("RINGWALL_UPSTREAM_" + index + "_NAME", "n" + index);
  }
  sources.environment.emplace_back("RINGWALL_LISTENER_KIND", "plain");
  const Config config = loaded(sources);
  REQUIRE(config.upstreams.size() == 12);
  CHECK(config.upstreams[11].name == "n11");
  CHECK(config.listeners[0].kind == ListenerKind::plain);
}

TEST_CASE("variables that are not Ringwall's settings are ignored") {
  Sources sources = from_text(minimal);
  sources.environment = {{"PATH", "/bin"}, {"RINGWALL_PORT", "tcp://10.0.0.1:443"}, {"RINGWALL_SERVICE_HOST", "x"}};
  CHECK(loaded(sources).listeners.size() == 1);
}

TEST_CASE("numbers are read with units and as plain integers, as text and as integers") {
  const Config config =
      loaded(from_text(std::string(minimal) + "[limits]\nmessage_bytes_max = '1MiB'\nbody_bytes_max = 2048\n"
                                              "head_bytes_max = '4096'\n[[upstream]]\nresolve_interval_s = '5m'\n"));
  CHECK(config.limits.message_bytes_max == 1U << 20);
  CHECK(config.limits.body_bytes_max == 2'048);
  CHECK(config.limits.head_bytes_max == 4'096);
  CHECK(config.upstreams[0].resolve_interval_s == 300);
}

TEST_CASE("auto and none are words for 0") {
  const Config config = loaded(from_text(std::string(minimal) + "[server]\nshards = 'auto'\nconnections_max = 'auto'\n"
                                                                "[[upstream]]\nconnections_max = 'none'\n"));
  CHECK(config.server.shards == 0);
  CHECK(config.server.connections_max == 0);
  CHECK(config.upstreams[0].connections_max == 0);
}

TEST_CASE("a configuration may be in variables alone") {
  CHECK(has_settings({{"PATH", "/bin"}, {"RINGWALL_LISTENER_KIND", "plain"}}));
  CHECK_FALSE(has_settings({{"PATH", "/bin"}, {"RINGWALL_SERVICE_HOST", "10.0.0.1"}}));
}

TEST_CASE("a listener's port is 443 with TLS and 80 without, where none is given") {
  const Config config =
      loaded(from_text("[[listener]]\nself_signed = ['a']\n[[listener]]\nkind = 'redirect'\npublic_name = 'a'\n"));
  CHECK(config.listeners[0].address == Endpoint{"", 443});
  CHECK(config.listeners[1].address == Endpoint{"", 80});
}

TEST_CASE("an upstream has one node, or those of its list, from each source") {
  CHECK(nodes_of(Upstream{}) == std::vector{Endpoint{"127.0.0.1", 9944}});
  const std::string text = std::string(minimal) + "[[upstream]]\naddresses = ['a:1', '[::1]:2']\nbalance = 'hash'\n";
  const Config config = loaded(from_text(text));
  CHECK(nodes_of(config.upstreams[0]) == std::vector{Endpoint{"a", 1}, Endpoint{"::1", 2}});
  CHECK(config.upstreams[0].balance == Balance::hash);
  Sources sources = from_text(text);
  sources.environment = {{"RINGWALL_UPSTREAM_0_ADDRESSES", "b:1,c:2"},
                         {"RINGWALL_UPSTREAM_0_HEALTH_INTERVAL_MS", "off"}};
  const Config other = loaded(sources);
  CHECK(nodes_of(other.upstreams[0]) == std::vector{Endpoint{"b", 1}, Endpoint{"c", 2}});
  CHECK(other.upstreams[0].health_interval_ms == 0);
  sources.command_line = {{"--node d:4", "upstream[0].address", "d:4"}};
  CHECK(nodes_of(loaded(sources).upstreams[0]) == std::vector{Endpoint{"d", 4}});
  const Config both = loaded(from_text(std::string(minimal) + "[[upstream]]\naddresses = ['a:1']\naddress = 'c:3'\n"));
  CHECK(nodes_of(both.upstreams[0]) == std::vector{Endpoint{"a", 1}});
}

TEST_CASE("listeners and routes are led to their upstreams") {
  const Config config = loaded(from_text(R"(
    [[upstream]]
    name = "dot"
    [[upstream]]
    name = "ksm"
    [[listener]]
    self_signed = ["a"]
    upstream = "ksm"
    [[listener.route]]
    sni = "*.DOT.example.com"
    path = "/ws*"
    upstream = "dot"
    mode = "tunnel"
    [[listener.route]]
    path = "/x"
    [[listener]]
    kind = "plain"
  )"));
  const Listener& listener = config.listeners[0];
  CHECK(listener.upstream_index == 1);
  CHECK(listener.routes[0].upstream_index == 0);
  CHECK(listener.routes[0].sni == "*.dot.example.com");
  CHECK(listener.routes[0].mode == Mode::tunnel);
  CHECK(listener.routes[1].upstream_index == 1);
  CHECK_FALSE(listener.routes[1].mode);
  CHECK(config.listeners[1].upstream == "dot");
}

TEST_CASE("one table of a repeated kind may be written with single brackets") {
  const Config config = loaded(from_text("[listener]\nself_signed = ['a']\n[upstream]\nname = 'b'\n"));
  CHECK(config.listeners[0].self_signed == std::vector<std::string>{"a"});
  CHECK(config.upstreams[0].name == "b");
}

TEST_CASE("certificates are given as tables or in one line") {
  const Config config = loaded(from_text(R"(
    [[listener]]
    certificate = [{ cert = "a.pem", key = "a.key" }, { cert = "b.pem", key = "b.key", ocsp = "b.der" }]
  )"));
  CHECK(config.listeners[0].certificates ==
        std::vector<Certificate>{{"a.pem", "a.key", ""}, {"b.pem", "b.key", "b.der"}});
}

TEST_CASE("trusted proxies are none unless given") {
  CHECK(loaded(from_text(minimal)).listeners[0].trusted_proxies.empty());
  const Config config = loaded(from_text("[[listener]]\nkind='plain'\ntrusted_proxies = ['10.0.0.0/8', '::1']\n"));
  REQUIRE(config.listeners[0].trusted_proxies.size() == 2);
  CHECK(to_text(config.listeners[0].trusted_proxies[0]) == "10.0.0.0/8");
  CHECK(to_text(config.listeners[0].trusted_proxies[1]) == "::1/128");
}

TEST_CASE("no PROXY header is read and every origin may ask, unless told otherwise") {
  const Listener without = loaded(from_text(minimal)).listeners[0];
  CHECK(without.proxy_protocol == ProxyProtocol::off);
  CHECK(without.origins.empty());
  CHECK(loaded(from_text("[[listener]]\nkind='plain'\nproxy_protocol='required'\n")).listeners[0].proxy_protocol ==
        ProxyProtocol::required);
}

TEST_CASE("origins are held as browsers write them: in lower case, without the port that the scheme implies") {
  const Config config = loaded(from_text(R"(
    [[listener]]
    kind = "plain"
    origins = ["HTTPS://Polkadot.JS.org:443", "http://a.example:80", "https://a.example:80", "http://[2001:DB8:0::1]:80"]
  )"));
  CHECK(config.listeners[0].origins == std::vector<std::string>{"https://polkadot.js.org", "http://a.example",
                                                                "https://a.example:80", "http://[2001:db8::1]"});
}

TEST_CASE("an empty list takes back what an earlier source gave") {
  Sources sources = from_text("[[listener]]\nkind='plain'\ntrusted_proxies = ['10.0.0.0/8']\n");
  sources.environment = {{"RINGWALL_LISTENER_0_TRUSTED_PROXIES", ""}};
  CHECK(loaded(sources).listeners[0].trusted_proxies.empty());
}

TEST_CASE("the state folder is systemd's if it says so, else the account's") {
  Sources sources = from_text(minimal);
  sources.environment = {{"HOME", "/home/a"}, {"STATE_DIRECTORY", "/var/lib/x:/var/lib/y"}};
  CHECK(loaded(sources).server.state_dir == "/var/lib/x");
  sources.environment = {{"HOME", "/home/a"}};
  CHECK(loaded(sources).server.state_dir == (::geteuid() == 0 ? "/var/lib/ringwall" : "/home/a/.local/state/ringwall"));
  *sources.text += "[server]\nstate_dir = '/srv'\n";
  CHECK(loaded(sources).server.state_dir == "/srv");
}

TEST_CASE("the admin socket is in systemd's runtime folder if it says so, else there is none") {
  Sources sources = from_text(minimal);
  sources.environment = {};
  CHECK(loaded(sources).admin.socket.empty());
  CHECK(loaded(sources).admin.address.port == 0);
  sources.environment = {{"RUNTIME_DIRECTORY", "/run/x:/run/y"}};
  CHECK(loaded(sources).admin.socket == "/run/x/admin.sock");
  *sources.text += "[admin]\nsocket = '/srv/a.sock'\naddress = '[::1]:9090'\n";
  CHECK(loaded(sources).admin.socket == "/srv/a.sock");
  CHECK(loaded(sources).admin.address == Endpoint{"::1", 9090});
}
