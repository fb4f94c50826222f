// What load() refuses, and how it says so: one case for each kind of problem, beside the nearest case that is right.
#include "problems.h"

#include <ringwall/config/load.h>

#include "unit/catch.h"

using namespace ringwall::config;
using namespace ringwall::config::test;

TEST_CASE("all problems are told at once, in the order of the lines") {
  CHECK(in("[[listener]]\naddress = '0.0.0.0'\nself_signed = ['a b']\n[timeouts]\nhead_ms = 'soon'\nhaed_ms = 1\n") ==
        Lines{
            "r.toml:2: listener[0].address: found \"0.0.0.0\", expected ADDR:PORT such as 0.0.0.0:443, [::1]:443 or "
            "*:443",
            "r.toml:3: listener[0].self_signed: found [\"a b\"], expected a list, of at most 64: a host name or an "
            "address such as rpc.example.com or 127.0.0.1",
            "r.toml:5: timeouts.head_ms: found \"soon\", expected a number such as 1500ms or 10s, from 10ms to 24h",
            "r.toml:6: timeouts.haed_ms: found an unknown field, expected a known one, timeouts.head_ms perhaps",
        });
}

TEST_CASE("a syntax error is told with its line, beside what the command line got wrong") {
  Sources sources = from_text("[[listener]\n");
  sources.command_line = {{"--shards x", "server.shards", "x"}};
  const Lines lines = problems(sources);
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].starts_with("r.toml:1: found what is no TOML ("));
  CHECK(lines[0].ends_with(", expected valid TOML"));
  CHECK(lines[1] == "--shards x: server.shards: found \"x\", expected \"auto\", or 1 to 1024");
}

TEST_CASE("a number that has a word for none is not written as 0") {
  const Lines lines = in(std::string(listener) + "[server]\nshards = 0\n[[upstream]]\nconnections_max = 0\n");
  CHECK(lines == Lines{"r.toml:4: server.shards: found 0, expected \"auto\", or 1 to 1024",
                       "r.toml:6: upstream[0].connections_max: found 0, expected \"none\", or 1 to 1000000"});
}

TEST_CASE("an unknown section is told once, with the nearest one") {
  CHECK(in(std::string(listener) + "[timeout]\nhead_ms = 1\nx = 2\n") ==
        Lines{"r.toml:3: timeout: found an unknown section, expected a known one, timeouts perhaps"});
  CHECK(
      in("[[listener]]\nself_signed = ['a']\n[[listener.routes]]\nsni = 'a'\n") ==
      Lines{"r.toml:3: listener[0].routes[0]: found an unknown section, expected a known one, listener.route perhaps"});
  CHECK(in(std::string(listener) + "[frobnicate]\n") ==
        Lines{"r.toml:3: frobnicate: found an unknown section, expected one that \"ringwall config\" shows"});
}

TEST_CASE("a field in the wrong section is led to the right one") {
  CHECK(in(std::string(listener) + "[limits]\nhead_ms = 1\n") ==
        Lines{"r.toml:4: limits.head_ms: found an unknown field, expected a known one, timeouts.head_ms perhaps"});
  CHECK(in("head_ms = 1\n" + std::string(listener)) ==
        Lines{"r.toml:1: head_ms: found an unknown field, expected a known one, timeouts.head_ms perhaps"});
}

TEST_CASE("a value of the wrong type is shown as it stands") {
  CHECK(in(std::string(listener) + "[server]\nuser = 5\n") ==
        Lines{"r.toml:4: server.user: found 5, expected an account name such as ringwall"});
  CHECK(in(std::string(listener) + "[server]\nshards = true\n") ==
        Lines{"r.toml:4: server.shards: found true, expected \"auto\", or 1 to 1024"});
  CHECK(
      in(std::string(listener) + "[limits]\nbody_bytes_max = 1.5\n") ==
      Lines{"r.toml:4: limits.body_bytes_max: found a fraction, expected a number such as 64KiB or 16MiB, from 1KiB to "
            "1GiB"});
  CHECK(in("[[listener]]\nself_signed = 'localhost'\n").size() == 1);
  CHECK(in("[[listener]]\nself_signed = [1]\n").size() == 1);
  CHECK(in(std::string(listener) + "[timeouts]\nhead_ms = { x = 1 }\n").front().find("found a table") !=
        std::string::npos);
}

TEST_CASE("a section that is given as a value, and one that is repeated, are refused") {
  CHECK(in("server = 5\n" + std::string(listener)) == Lines{"r.toml:1: server: found 5, expected a table: [server]"});
  CHECK(in("listener = 5\n") == Lines{"r.toml:1: listener: found 5, expected a table: [[listener]]"});
  CHECK(in(std::string(listener) + "[[limits]]\n") ==
        Lines{"r.toml:3: limits[0]: found [[limits]], expected [limits], which there is one of"});
}

TEST_CASE("each number is accepted at its bounds and refused beyond them") {
  const auto with = [](const std::string& line) { return in(std::string(listener) + "[timeouts]\n" + line + "\n"); };
  CHECK(with("head_ms = 10").empty());
  CHECK(with("head_ms = 9") == Lines{"r.toml:4: timeouts.head_ms: found 9, expected at least 10ms"});
  CHECK(with("head_ms = '1d'").empty());
  CHECK(with("head_ms = 86400001") == Lines{"r.toml:4: timeouts.head_ms: found 86400001, expected at most 24h"});
  CHECK(with("head_ms = -1") == Lines{"r.toml:4: timeouts.head_ms: found -1, expected at least 10ms"});
}

TEST_CASE("a number that is too large reads unlike what is no number, and a unit goes without a space") {
  const auto with = [](const std::string& bytes) {
    return in(std::string(listener) + "[limits]\nmessage_bytes_max = '" + bytes + "'\n");
  };
  CHECK(with("2GiB") == Lines{"r.toml:4: limits.message_bytes_max: found \"2GiB\", expected at most 1GiB"});
  for (const std::string text : {"16 MiB", "16 potatoes"}) {
    CHECK(with(text) == Lines{"r.toml:4: limits.message_bytes_max: found \"" + text +
                              "\", expected a number such as 64KiB or 16MiB, from 1KiB to 1GiB"});
  }
}

TEST_CASE("a port out of range is told as that") {
  const auto with = [](const std::string& address) {
    return in("[[listener]]\nkind = 'plain'\naddress = '" + address + "'\n");
  };
  CHECK(with("*:65535").empty());
  for (const std::string address : {"*:65536", "127.0.0.1:99999", "[::1]:0"}) {
    CHECK(with(address) ==
          Lines{"r.toml:3: listener[0].address: found \"" + address + "\", expected a port from 1 to 65535"});
  }
  CHECK(with("*:http").front().find("ADDR:PORT") != std::string::npos);
}

TEST_CASE("a field is likened to another by its own name, not by its section's") {
  const auto with = [](const std::string& field) {
    Sources sources = from_text(listener);
    sources.command_line = {{"--set", field, "5"}};
    return problems(sources).front();
  };
  CHECK(with("listener.adress").ends_with("expected a known one, listener.address perhaps"));
  CHECK(with("listener[0].timeout").ends_with("expected a known one, [timeouts] perhaps"));
  CHECK(with("listener.certificates").ends_with("expected a known one, [listener.certificate] perhaps"));
  CHECK(with("listener.colour").ends_with("expected one that \"ringwall config\" shows"));
  CHECK(with("srever.shard").ends_with("expected a known one, server.shards perhaps"));
}

TEST_CASE("an index without its brackets is led to them") {
  const auto with = [](const std::string& field) {
    Sources sources = from_text(listener);
    sources.command_line = {{"--set", field, "5"}};
    return problems(sources);
  };
  CHECK(with("listener.0.address") == Lines{"--set: listener[0].0.address: found an unknown field, expected "
                                            "listener[0].address, with the index in brackets"});
  const Lines nested = with("listener[0].certificate.1.cert");
  CHECK(std::ranges::any_of(nested, [](const std::string& line) {
    return line.ends_with(", expected listener[0].certificate[1].cert, with the index in brackets");
  }));
}

TEST_CASE("a choice names its words") {
  CHECK(in("[[listener]]\nkind = 'TLS'\nself_signed = ['a']\n") ==
        Lines{"r.toml:2: listener[0].kind: found \"TLS\", expected one of tls, plain, redirect"});
  CHECK(in("[[listener]]\nself_signed = ['a']\nmode = 'ws'\n") ==
        Lines{"r.toml:3: listener[0].mode: found \"ws\", expected one of rpc, tunnel"});
  CHECK(in("[[listener]]\nself_signed = ['a']\nproxy_protocol = 'on'\n") ==
        Lines{"r.toml:3: listener[0].proxy_protocol: found \"on\", expected one of off, required"});
}

TEST_CASE("wrong ranges, names and paths are refused") {
  const auto with = [](const std::string& line) { return in(std::string(listener) + line + "\n"); };
  CHECK(with("trusted_proxies = ['10.0.0.0/8', 'fd00::/8']").empty());
  CHECK(with("trusted_proxies = ['10.0.0.1/8']").size() == 1);
  CHECK(with("public_name = 'rpc.example.com:8443'").empty());
  CHECK(with("public_name = '[::1]:8443'").empty());
  CHECK(with("public_name = 'https://rpc.example.com'").size() == 1);
  CHECK(with("public_name = 'a/b'").size() == 1);
  CHECK(with("[[listener.route]]\nsni = '*.example.com'\npath = '/ws*'").empty());
  CHECK(with("[[listener.route]]\nsni = '127.0.0.1'").size() == 1);
  CHECK(with("[[listener.route]]\nsni = 'a.*.com'").size() == 1);
  for (const char* path : {"ws", "/w*s", "/ws?x=1", "/ws#x", "/w s", "*", "/w\xc3\xb6"}) {
    INFO(path);
    CHECK(with(std::string("[[listener.route]]\npath = '") + path + "'").size() == 1);
  }
  CHECK(in(std::string(listener) + "[[upstream]]\naddress = 'http://localhost:9944'\n").size() == 1);
  CHECK(in(std::string(listener) + "[[upstream]]\nname = 'a b'\n").size() == 1);
  CHECK(in(std::string(listener) + "[server]\nuser = '-x'\n").size() == 1);
  CHECK(in(std::string(listener) + "[server]\nstate_dir = \"/a\\nb\"\n") ==
        Lines{"r.toml:4: server.state_dir: found \"/a\\x0ab\", expected a path of up to 4095 bytes without control "
              "characters"});
}

TEST_CASE("an origin is a scheme and a host, and nothing after them") {
  const auto with = [](const std::string& origin) {
    return in(std::string(listener) + "origins = ['" + origin + "']\n").size();
  };
  for (const char* origin : {"https://polkadot.js.org", "http://localhost:3000", "https://[2001:db8::1]:8443",
                             "http://127.0.0.1", "chrome-extension://abcdefghijklmnop", "HTTPS://Example.COM"}) {
    INFO(origin);
    CHECK(with(origin) == 0);
  }
  for (const char* origin : {"", "*", "null", "polkadot.js.org", "https://", "://example.com", "https://example.com/",
                             "https://example.com/a", "https://*.example.com", "https://a@example.com",
                             "https://example.com:0", "https://example.com:65536", "https://example.com:",
                             "https://a b", "https:/example.com", "1a://example.com", "ht tp://a", "https://::1"}) {
    INFO(origin);
    CHECK(with(origin) == 1);
  }
  CHECK(in(std::string(listener) + "origins = ['polkadot.js.org']\n") ==
        Lines{"r.toml:3: listener[0].origins: found [\"polkadot.js.org\"], expected a list, of at most 64: "
              "SCHEME://HOST or SCHEME://HOST:PORT such as https://polkadot.js.org"});
}

TEST_CASE("two listeners on one address are refused, every address together with * too") {
  const auto two = [](const std::string& a, const std::string& b) {
    return in("[[listener]]\nkind='plain'\naddress='" + a + "'\n[[listener]]\nkind='plain'\naddress='" + b + "'\n");
  };
  CHECK(two("127.0.0.1:80", "127.0.0.1:80") ==
        Lines{"r.toml:6: listener[1].address: found \"127.0.0.1:80\", expected an address of its own; listener[0] has "
              "\"127.0.0.1:80\""});
  CHECK(two("[::1]:80", "[0::1]:80").size() == 1);
  CHECK(two("*:80", "0.0.0.0:80").size() == 1);
  CHECK(two("[::]:80", "*:80").size() == 1);
  CHECK(two("0.0.0.0:80", "[::]:80").empty());
  CHECK(two("127.0.0.1:80", "127.0.0.1:81").empty());
  CHECK(
      in("[[listener]]\nself_signed=['a']\n[[listener]]\nself_signed=['b']\n") ==
      Lines{
          "r.toml:3: listener[1].address: found \"*:443\", expected an address of its own; listener[0] has \"*:443\""});
}

TEST_CASE("an upstream that is one of the listeners is refused, by whatever address it leads there") {
  const auto both = [](const std::string& at, const std::string& node) {
    return in("[[listener]]\nkind='plain'\naddress='" + at + "'\n[[upstream]]\naddress='" + node + "'\n");
  };
  CHECK(both("127.0.0.1:9944", "127.0.0.1:9944") ==
        Lines{"r.toml:5: upstream[0].address: found \"127.0.0.1:9944\", expected the node's own address; listener[0] "
              "has \"127.0.0.1:9944\""});
  for (const char* node : {"127.0.0.1:80", "127.1.2.3:80", "localhost:80", "0.0.0.0:80", "[::1]:80", "[::]:80"}) {
    INFO(node);
    CHECK(both("*:80", node).size() == 1);
  }
  CHECK(both("0.0.0.0:80", "127.0.0.1:80").size() == 1);
  CHECK(both("[::]:80", "[::1]:80").size() == 1);
  CHECK(both("127.0.0.1:80", "0.0.0.0:80").size() == 1);
  CHECK(both("192.0.2.1:80", "192.0.2.1:80").size() == 1);
  CHECK(both("0.0.0.0:80", "[::1]:80").empty());
  CHECK(both("[::]:80", "127.0.0.1:80").empty());
  CHECK(both("127.0.0.1:80", "127.0.0.2:80").empty());
  CHECK(both("*:80", "127.example:80").empty());
  CHECK(both("*:80", "127.0.0.1:81").empty());
}

TEST_CASE("a node's default address is a loop too for a listener that was put there") {
  CHECK(in("[[listener]]\nkind='plain'\naddress='127.0.0.1:9944'\n").size() == 1);
}

TEST_CASE("an upstream that nobody gave is named where it is meant, with the nearest name") {
  const std::string upstreams = "[[upstream]]\nname = 'polkadot'\n[[upstream]]\nname = 'kusama'\n";
  CHECK(in(upstreams + listener + "upstream = 'polkadto'\n") ==
        Lines{"r.toml:7: listener[0].upstream: found \"polkadto\", expected the name of an [[upstream]], \"polkadot\" "
              "perhaps"});
  CHECK(in(upstreams + listener + "[[listener.route]]\nupstream = 'x'\n") ==
        Lines{"r.toml:8: listener[0].route[0].upstream: found \"x\", expected the name of an [[upstream]]"});
}

TEST_CASE("of several nodes each is a place, and each is there once") {
  const std::string start = std::string(listener) + "[[upstream]]\n";
  CHECK(in(start + "addresses = ['a:1', '[::1]:2']\n").empty());
  CHECK(in(start + "addresses = ['a:1', 'b']\n").size() == 1);
  CHECK(in(start + "addresses = 'a:1'\n").size() == 1);
  CHECK(in(start + "addresses = ['a:1', 'b:1', 'A:1']\n") ==
        Lines{"r.toml:4: upstream[0].addresses: found \"a:1\" a second time, expected each node once"});
  CHECK(
      in("[[listener]]\nkind='plain'\naddress='127.0.0.1:9944'\n[[upstream]]\naddresses=['a:1', '127.0.0.1:9944']\n") ==
      Lines{"r.toml:5: upstream[0].addresses: found \"127.0.0.1:9944\", expected the node's own address; listener[0] "
            "has \"127.0.0.1:9944\""});
  CHECK(in(start + "balance = 'random'\n").size() == 1);
}

TEST_CASE("upstreams have names, each its own") {
  CHECK(in(std::string(listener) + "[[upstream]]\n[[upstream]]\n") ==
        Lines{"r.toml:4: upstream[1].name: found \"node\" a second time, expected a name of its own"});
  CHECK(in(std::string(listener) + "[[upstream]]\nname = ''\n").size() == 1);
}

TEST_CASE("a TLS listener needs a certificate, another has no use for one") {
  CHECK(in("[[listener]]\naddress = '*:443'\n") ==
        Lines{"r.toml:1: listener[0]: found no certificate, expected [[listener.certificate]] or --cert and --key, "
              "self_signed or --self-signed, or kind plain"});
  CHECK(in("") == Lines{"listener[0]: found no certificate, expected [[listener.certificate]] or --cert and --key, "
                        "self_signed or --self-signed, or kind plain"});
  CHECK(in("[[listener]]\nkind = 'plain'\n[[listener.certificate]]\ncert = 'a'\nkey = 'b'\n") ==
        Lines{"r.toml:3: listener[0].certificate[0]: found a certificate, expected none on a listener of kind "
              "\"plain\", or "
              "kind tls"});
  CHECK(in("[[listener]]\nkind = 'redirect'\nself_signed = ['a']\n").size() == 1);
}

TEST_CASE("a certificate without its key, or a key without its certificate, is refused") {
  CHECK(
      in("[[listener]]\n[[listener.certificate]]\ncert = 'a.pem'\n") ==
      Lines{
          "r.toml:2: listener[0].certificate[0].key: found nothing, expected a PEM file; cert and key come together"});
  CHECK(
      in("[[listener]]\n[[listener.certificate]]\nkey = 'a.pem'\n") ==
      Lines{
          "r.toml:2: listener[0].certificate[0].cert: found nothing, expected a PEM file; cert and key come together"});
}

TEST_CASE("a redirecting listener takes no settings of a proxy, and only it serves a webroot") {
  CHECK(in("[[listener]]\nkind = 'redirect'\nacme_webroot = '/tmp'\n").empty());
  CHECK(in("[[listener]]\nkind = 'redirect'\nmode = 'rpc'\n") ==
        Lines{"r.toml:3: listener[0].mode: found a setting of a proxy, expected none on a listener of kind redirect"});
  CHECK(in("[[listener]]\nkind = 'redirect'\norigins = ['https://a.example']\n").size() == 1);
  CHECK(in("[[listener]]\nkind = 'redirect'\ntrusted_proxies = ['10.0.0.0/8']\n").size() == 1);
  CHECK(in("[[listener]]\nkind = 'redirect'\nproxy_protocol = 'required'\ntrusted_proxies = ['10.0.0.0/8']\n").empty());
  CHECK(in("[[listener]]\nkind = 'redirect'\n[[listener.route]]\npath = '/a'\n").size() == 1);
  CHECK(in(std::string(listener) + "acme_webroot = '/tmp'\n") ==
        Lines{"r.toml:3: listener[0].acme_webroot: found \"/tmp\", expected a listener of kind redirect for it"});
}

TEST_CASE("a route by name needs TLS, and one that an earlier route hides is refused") {
  CHECK(in("[[listener]]\nkind = 'plain'\n[[listener.route]]\nsni = 'a'\n") ==
        Lines{"r.toml:4: listener[0].route[0].sni: found \"a\", expected none without TLS"});
  CHECK(
      in(std::string(listener) + "[[listener.route]]\nsni = 'A'\n[[listener.route]]\nsni = 'a'\n") ==
      Lines{"r.toml:5: listener[0].route[1]: found the sni and path of an earlier route, expected a route that can be "
            "reached"});
}

TEST_CASE("bounds that contradict each other are refused") {
  CHECK(
      in(std::string(listener) + "[limits]\nmessage_bytes_max = '33MiB'\n") ==
      Lines{"server.assembly_bytes_per_address_max: found 32MiB, expected at least limits.message_bytes_max, which is "
            "33MiB"});
  CHECK(in(std::string(listener) + "[limits]\nbody_bytes_max = '32MiB'\n").empty());
  CHECK(in(std::string(listener) + "[server]\nassembly_bytes_max = '31MiB'\n").size() == 1);
  CHECK(in(std::string(listener) + "[timeouts]\nping_interval_ms = '90s'\n").size() == 1);
  CHECK(in(std::string(listener) + "[timeouts]\nping_interval_ms = '89s'\n").empty());
  CHECK(in(std::string(listener) + "[server]\nbuffers_per_shard = 100\n") ==
        Lines{"r.toml:4: server.buffers_per_shard: found 100, expected a power of two such as 128"});
  CHECK(in(std::string(listener) + "[server]\ngroup = 'g'\n").size() == 1);
}

TEST_CASE("a field with a problem of its own is not judged a second time") {
  CHECK(in("[[listener]]\nkind='plain'\naddress='x'\n[[listener]]\nkind='plain'\naddress='y'\n").size() == 2);
  CHECK(in("[[listener]]\nself_signed = ['a b']\n").size() == 1);
  CHECK(in(std::string(listener) + "[[upstream]]\nname = 'a b'\n").size() == 1);
}

TEST_CASE("problems from flags and variables name the flag and the variable") {
  Sources sources{.environment = {{"RINGWALL_SERVER_SHARDS", "many"},
                                  {"RINGWALL_TIMEOUTS_HAED_MS", "1"},
                                  {"RINGWALL_LISTNER_MODE", "rpc"}},
                  .command_line = {{"--listen 0.0.0.0", "listener[0].address", "0.0.0.0"},
                                   {"--self-signed a", "listener[0].self_signed", "a"},
                                   {"--set x..y", "x..y", "1"},
                                   {"--set", "upstream[2].name", "c"}}};
  CHECK(
      problems(sources) ==
      Lines{
          "RINGWALL_LISTNER_MODE: found an unknown section, expected a known one, listener perhaps",
          "--set x..y: x..y: found an unknown field, expected a name such as listener[0].address",
          "RINGWALL_SERVER_SHARDS: server.shards: found \"many\", expected \"auto\", or 1 to 1024",
          "RINGWALL_TIMEOUTS_HAED_MS: timeouts.haed_ms: found an unknown field, expected a known one, "
          "timeouts.head_ms perhaps",
          "--listen 0.0.0.0: listener[0].address: found \"0.0.0.0\", expected ADDR:PORT such as 0.0.0.0:443, [::1]:443 "
          "or *:443",
          "--set: upstream[2]: found index 2, expected at most 0, since 0 of them are there"});
}

TEST_CASE("elements are bounded") {
  std::string text = listener;
  for (int i = 0; i < 64; ++i) {
    text += "[[upstream]]\nname = 'n" + std::to_string(i) + "'\n";
  }
  CHECK(in(text).empty());
  CHECK(in(text + "[[upstream]]\nname = 'one-more'\n") ==
        Lines{"r.toml:131: upstream[64]: found index 64, expected no more than 64 of them"});
}

TEST_CASE("a hundred problems are told and the rest counted") {
  std::string text = std::string(listener) + "[server]\n";
  for (int i = 0; i < 150; ++i) {
    text += "x" + std::to_string(i) + " = 1\n";
  }
  const Lines lines = in(text);
  REQUIRE(lines.size() == problems_max + 1);
  CHECK(lines.back() == "found 50 more problems, expected those above put right first");
}

TEST_CASE("a problem is one printable line, whatever a hostile file holds") {
  const Lines lines = in(std::string(listener) + "[server]\n\"a\\u001b[2Jb\\n\" = \"\\u001b\\n\"\n");
  REQUIRE(lines.size() == 1);
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20; };
  CHECK(std::ranges::none_of(lines[0], control));
}

TEST_CASE("operators have an address of their own, and a socket whose path the kernel takes") {
  const std::string listener = "[[listener]]\nkind='plain'\naddress='*:80'\n";
  CHECK(in(listener + "[admin]\naddress='127.0.0.1:9090'\n").empty());
  CHECK(
      in(listener + "[admin]\naddress='0.0.0.0:80'\n") ==
      Lines{"r.toml:5: admin.address: found \"0.0.0.0:80\", expected an address of its own; listener[0] has \"*:80\""});
  CHECK(in(listener + "[admin]\nsocket='/run/" + std::string(93, 'a') + "'\n").empty());
  CHECK(in(listener + "[admin]\nsocket='/run/" + std::string(94, 'a') + "'\n").size() == 1);
}
