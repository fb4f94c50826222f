#include "load/options.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "load/flags.h"
#include "load/mix.h"
#include "load/target.h"
#include "unit/catch.h"

namespace {

using namespace ringwall;
using namespace ringwall::load;

std::expected<Asked, Ended> read(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "ringwall-bench");
  return read_command_line(static_cast<int>(arguments.size()), arguments.data());
}

Asked good(std::vector<const char*> arguments) {
  auto asked = read(std::move(arguments));
  INFO((asked ? "" : asked.error().text));
  REQUIRE(asked);
  return *asked;
}

// What is said of a mistake.
std::string mistake(std::vector<const char*> arguments) {
  const auto asked = read(std::move(arguments));
  if (asked) return "";
  CHECK(asked.error().exit_code == 2);
  CHECK(asked.error().text.starts_with("ringwall-bench: "));
  return asked.error().text;
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("a URL alone asks for something useful and harmless", "[options]") {
  const Asked asked = good({"wss://rpc.example.com"});
  CHECK(asked.plan.mode == Mode::calls);
  CHECK(asked.mix_name == "public");
  CHECK(asked.plan.mix->calls().size() > 20);
  CHECK(asked.plan.connections == 10);
  CHECK(asked.plan.depth == 1);
  CHECK(asked.plan.threads == 1);
  CHECK(!asked.plan.rate);
  CHECK(asked.plan.duration_ns == 10'000'000'000);
  CHECK(asked.plan.warmup_ns == 1'000'000'000);
  CHECK(asked.plan.tls.verify);
  CHECK(asked.plan.target.tls);
  CHECK(asked.plan.target.port == 443);
  CHECK(asked.plan.target.path == "/");
  CHECK(!asked.thresholds.p99_ns);
}

TEST_CASE("the parts of a URL", "[options]") {
  const auto parsed = [](const char* url) { return *parse_url(url); };
  CHECK(parsed("ws://h").port == 80);
  CHECK(parsed("http://h").post);
  CHECK(parsed("https://h").port == 443);
  CHECK(parsed("WSS://h").tls);
  CHECK(parsed("ws://h:9944/a/b?c=d").path == "/a/b?c=d");
  CHECK(parsed("ws://h?c=d").path == "/?c=d");
  CHECK(parsed("ws://[::1]:9944").host == "::1");
  CHECK(parsed("ws://[::1]:9944").port == 9944);
  CHECK(parsed("ws://[::1]/x").port == 80);
  for (const char* wrong : {"",           "h",          "localhost:9944",  "ftp://h",      "ws://",
                            "ws://:9944", "ws:///x",    "ws://h:0",        "ws://h:65536", "ws://h:9944x",
                            "ws://h:",    "ws://u@h",   "ws://[::1",       "ws://[x]",     "ws://[::1]9",
                            "ws://h/#f",  "ws://h/a b", "ws://h/\r\nX: y", "ws://h\"",     "ws://ü"}) {
    INFO(wrong);
    const auto refused = parse_url(wrong);
    REQUIRE(!refused);
    CHECK(has(refused.error().message, "expected"));
  }
}

TEST_CASE("values are read with their units", "[options]") {
  const Asked asked =
      good({"ws://h", "--rate",        "1k..2.5k", "--duration", "1.5s",  "--warmup",       "0s",  "--connections",
            "2k",     "--threads",     "4",        "--timeout",  "250ms", "--connect-rate", "500", "--fail-p99",
            "50ms",   "--fail-errors", "0.1%",     "--calls",    "10k"});
  CHECK(asked.plan.rate->from == 1000);
  CHECK(asked.plan.rate->to == 2500);
  CHECK(asked.plan.depth == 64);
  CHECK(asked.plan.duration_ns == 1'500'000'000);
  CHECK(asked.plan.warmup_ns == 0);
  CHECK(asked.plan.connections == 2000);
  CHECK(asked.plan.threads == 4);
  CHECK(asked.plan.timeout_ns == 250'000'000);
  CHECK(asked.plan.connect_rate == 500);
  CHECK(asked.plan.calls_max == 10'000);
  CHECK(asked.thresholds.p99_ns == 50'000'000);
  CHECK(asked.thresholds.error_share == 0.001);
}

TEST_CASE("one call instead of a mix: params, a payload, the length of its answers", "[options]") {
  const Asked params =
      good({"ws://h", "--call", "chain_getBlockHash", "--params", "[ 0 , \"a,b\" ]", "--answer-bytes", "101"});
  REQUIRE(params.plan.mix->calls().size() == 1);
  CHECK(params.plan.mix->calls()[0].params == "[0,\"a,b\"]");
  CHECK(params.plan.mix->calls()[0].answer_bytes == 101);
  const Asked payload = good({"ws://h", "--call", "echo", "--payload", "4KiB"});
  CHECK(payload.plan.mix->calls()[0].params == "[\"" + std::string(4096, 'x') + "\"]");
}

TEST_CASE("a mode is told by what only it has", "[options]") {
  const Asked subscribe = good({"ws://h", "--subscribe", "dev_subscribePush", "--params", R"([{"bytes":9}])"});
  CHECK(subscribe.plan.mode == Mode::subscribe);
  CHECK(subscribe.plan.subscribe_method == "dev_subscribePush");
  CHECK(subscribe.plan.subscribe_params == R"([{"bytes":9}])");
  CHECK(subscribe.plan.connections == 100);
  const Asked hostile = good({"ws://h", "--hostile", "slow-readers"});
  CHECK(hostile.plan.mode == Mode::hostile);
  CHECK(hostile.plan.hostility == Hostility::slow_readers);
  CHECK(hostile.plan.hostile_connections == 100);
  CHECK(good({"ws://h", "--mode", "handshakes"}).plan.mode == Mode::handshake);
  CHECK(good({"ws://h", "--mode", "idle"}).plan.mode == Mode::idle);
}

TEST_CASE("POST calls what has no subscriptions", "[options]") {
  const Asked asked = good({"http://h"});
  CHECK(!asked.plan.mix->subscribes());
  CHECK(asked.plan.mix->calls().size() > 10);
  CHECK(asked.plan.depth == 1);
  CHECK(good({"http://h", "--rate", "5k"}).plan.depth == 1);
  CHECK(good({"http://h", "--mode", "handshakes"}).plan.mix);
  CHECK(has(mistake({"http://h", "--call", "eth_subscribe"}), "have no subscriptions"));
}

TEST_CASE("headers are read, and those that the program writes refused", "[options]") {
  const Asked asked =
      good({"ws://h", "--header", "Origin: https://a.b:1", "--header", "X-Empty:", "--subprotocol", "jsonrpc"});
  REQUIRE(asked.plan.headers.size() == 2);
  CHECK(asked.plan.headers[0] == std::pair<std::string, std::string>("Origin", "https://a.b:1"));
  CHECK(asked.plan.headers[1] == std::pair<std::string, std::string>("X-Empty", ""));
  CHECK(asked.plan.subprotocol == "jsonrpc");
  for (const char* wrong :
       {"Origin", ": x", "A b: c", "A: b\r\nC: d", "host: h", "Content-Length: 3", "Sec-WebSocket-Key: x"}) {
    INFO(wrong);
    CHECK(has(mistake({"ws://h", "--header", wrong}), "--header: found"));
  }
}

TEST_CASE("source addresses: a list, a network without its ends, one family", "[options]") {
  CHECK(parse_sources("127.0.0.1,127.0.0.9")->size() == 2);
  const auto network = *parse_sources("127.1.2.77/24");
  REQUIRE(network.size() == 254);
  CHECK(address_text(network.front()) == "127.1.2.1:0");
  CHECK(address_text(network.back()) == "127.1.2.254:0");
  CHECK(parse_sources("127.0.0.0/16")->size() == 65'534);
  CHECK(parse_sources("10.0.0.6/31")->size() == 2);
  CHECK(parse_sources("10.0.0.6/32")->size() == 1);
  CHECK(address_text(parse_sources("fd00::/120")->back()) == "[fd00::fe]:0");
  for (const char* wrong :
       {"", "x", "127.0.0.1,", "127.0.0.1,::1", "127.0.0.0/8", "127.0.0.0/33", "127.0.0.0/", "::/64", "1.2.3/24"}) {
    INFO(wrong);
    const auto refused = parse_sources(wrong);
    REQUIRE(!refused);
    CHECK(has(refused.error().message, "--source"));
  }
  CHECK(check_sources(*parse_sources("127.0.0.0/24")));
  CHECK(!check_sources(*parse_sources("192.0.2.1")));
}

TEST_CASE("a source of the wrong family is refused when the host is looked up", "[options]") {
  Asked asked = good({"ws://127.0.0.1:1", "--source", "::1"});
  const auto refused = reach(asked);
  REQUIRE(!refused);
  CHECK(has(refused.error().message, "as IPv6, which --source is of"));
}

TEST_CASE("of a name's addresses those are kept that take connections", "[options]") {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ring::SocketAddress any = parse_sources("127.0.0.1")->front();
  REQUIRE(bind(listener, any.get(), any.bytes) == 0);
  REQUIRE(listen(listener, 8) == 0);
  socklen_t size = sizeof any.storage;
  REQUIRE(getsockname(listener, any.get(), &size) == 0);
  Asked asked = good({"ws://localhost"});
  const std::string port = address_text(any).substr(address_text(any).rfind(':') + 1);
  asked.plan.target.port = static_cast<std::uint16_t>(std::stoi(port));
  REQUIRE(reach(asked));
  REQUIRE(asked.plan.target.addresses.size() == 1);
  CHECK(address_text(asked.plan.target.addresses[0]) == "127.0.0.1:" + port);
  close(listener);
  // Where none does, the run is to say why.
  asked.plan.target.addresses.clear();
  REQUIRE(reach(asked));
  CHECK(!asked.plan.target.addresses.empty());
}

TEST_CASE("a host that is not found is told", "[options]") {
  const std::string host(70, 'x');  // A name's label has at most 63 bytes: no server is asked.
  Asked asked = good({("ws://" + host).c_str()});
  const auto refused = reach(asked);
  REQUIRE(!refused);
  CHECK(has(refused.error().message, "the host \"" + host + "\" was not found"));
}

TEST_CASE("each wrong value is told with its option, what was found and what would be right", "[options]") {
  const std::vector<std::pair<std::vector<const char*>, const char*>> cases = {
      {{"--mode", "call"}, "calls, handshakes, idle, subscribe, hostile"},
      {{"--hostile", "rude"}, "slow-heads, slow-readers, floods"},
      {{"--connections", "0"}, "a whole number from 1 to 1,000,000"},
      {{"--connections", "-5"}, "a whole number"},
      {{"--connections", "2000000"}, "a whole number from 1 to 1,000,000"},
      {{"--depth", "1.5"}, "a whole number"},
      {{"--threads", "x"}, "a whole number"},
      {{"--calls", "0"}, "a whole number"},
      {{"--rate", "fast"}, "5000, 5k or 1k..20k"},
      {{"--rate", "0"}, "5000, 5k or 1k..20k"},
      {{"--rate", "1k.."}, "5000, 5k or 1k..20k"},
      {{"--duration", "10"}, "a time with its unit"},
      {{"--duration", "0s"}, "a time with its unit"},
      {{"--timeout", "1"}, "a time with its unit"},
      {{"--warmup", "soon"}, "a time with its unit"},
      {{"--duration", "1h"}, "(us, ms, s, m), from 1.00 ms up to 10080m, which is a week"},
      {{"--duration", "20000m"}, "up to 10080m, which is a week"},
      {{"--warmup", "1h"}, "(us, ms, s, m), up to 10080m"},
      {{"--rate", "200M"}, "at most 100M"},
      {{"--connect-rate", "0.001"}, "10 connections would take 2.78 hours to connect, expected at most an hour"},
      {{"--connect-rate", "0.000000001"}, "more than a thousand hours"},
      {{"--ca", "/dev/null"}, "a PEM file with certificates"},
      {{"--mix", "/dev/null"}, "a file, not a pipe or a device"},
      {{"--html", "-"}, "the name of a file: only --json prints"},
      {{"--connect-rate", "0"}, "connections a second"},
      {{"--tls", "1.1"}, "one of 1.2, 1.3"},
      {{"--ca", "/nowhere/ca.pem"}, "a PEM file that can be read (No such file"},
      {{"--mix", "nowhere"}, "public, apps, wallet, indexer, or a file"},
      {{"--mix", "/"}, "not a directory"},
      {{"--call", ""}, "a method such as"},
      {{"--call", "a", "--params", "{"}, "JSON, an array or an object"},
      {{"--call", "a", "--params", "7"}, "JSON, an array or an object"},
      {{"--call", "a", "--payload", "4KB"}, "bytes such as 4096 or 4KiB"},
      {{"--call", "a", "--payload", "1GiB"}, "at most 64MiB"},
      {{"--call", "a", "--answer-bytes", "x"}, "a whole number"},
      {{"--subprotocol", "a b"}, "a name without spaces"},
      {{"--pid", "x"}, "a process id"},
      {{"--pid", "2147483647"}, "of a process that runs"},
      {{"--json", "/nowhere/x.json"}, "a file that can be written"},
      {{"--json", "/"}, "the name of a file"},
      {{"--html", "/nowhere/x.html"}, "a file that can be written"},
      {{"--fail-errors", "0.1"}, "a share such as 0.1%"},
      {{"--fail-p99", "50"}, "a time with its unit"},
      {{"--source", "here"}, "an address"},
  };
  for (const auto& [options, right] : cases) {
    std::vector<const char*> arguments = {"wss://h"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const std::string said = mistake(arguments);
    INFO(options.back() << " -> " << said);
    CHECK(has(said, options[options.size() - 2]));
    CHECK(has(said, right));
  }
}

TEST_CASE("contradictions are refused", "[options]") {
  const std::vector<std::pair<std::vector<const char*>, const char*>> cases = {
      {{"wss://h", "--mode", "idle", "--rate", "5"}, "--rate is for --mode calls"},
      {{"wss://h", "--mode", "subscribe", "--depth", "5"}, "--depth is for --mode calls"},
      {{"wss://h", "--mode", "idle", "--calls", "5"}, "--calls is for"},
      {{"wss://h", "--mode", "idle", "--mix", "apps"}, "no other mode makes calls"},
      {{"wss://h", "--mode", "handshakes", "--call", "a"}, "no other mode makes calls"},
      {{"wss://h", "--mode", "handshakes", "--connect-rate", "5"}, "--connect-rate and --mode handshakes"},
      {{"wss://h", "--mode", "calls", "--subscribe", "a"}, "--subscribe is for --mode subscribe"},
      {{"wss://h", "--hostile-connections", "5"}, "are for --mode hostile"},
      {{"wss://h", "--mode", "calls", "--hostile", "floods"}, "are for --mode hostile"},
      {{"wss://h", "--mode", "hostile"}, "needs --hostile KIND"},
      {{"wss://h", "--mix", "apps", "--call", "a"}, "--mix and --call"},
      {{"wss://h", "--params", "[]"}, "--params needs"},
      {{"wss://h", "--payload", "5"}, "--payload needs"},
      {{"wss://h", "--call", "a", "--payload", "5", "--params", "[]"}, "--payload and --params"},
      {{"wss://h", "--answer-bytes", "5"}, "--answer-bytes needs"},
      {{"https://h", "--depth", "2"}, "--depth above 1 needs"},
      {{"https://h", "--mode", "idle"}, "POST holds nothing"},
      {{"https://h", "--mode", "subscribe"}, "POST holds nothing"},
      {{"https://h", "--subprotocol", "a"}, "--subprotocol needs"},
      {{"ws://h", "--tls", "1.3"}, "this URL has no TLS"},
      {{"ws://h", "--insecure"}, "this URL has no TLS"},
      {{"ws://h", "--resume"}, "this URL has no TLS"},
      {{"ws://h", "--server-name", "a"}, "this URL has no TLS"},
      {{"ws://h", "--hostile", "tls-handshakes"}, "this URL has no TLS"},
      {{"wss://h", "--insecure", "--ca", "/dev/null"}, "--insecure and --ca"},
      {{"wss://h", "--threads", "11"}, "--threads 11 are more than --connections 10"},
      {{"wss://h", "--find-max"}, "--find-max needs --p99"},
      {{"wss://h", "--p99", "5ms"}, "--p99 is the bound of --find-max"},
      {{"wss://h", "--find-max", "--p99", "5ms", "--fail-p99", "5ms"}, "--fail-p99 and --find-max"},
      {{"wss://h", "--find-max", "--p99", "5ms", "--rate", "5"}, "--find-max and --rate"},
      {{"wss://h", "--find-max", "--p99", "5ms", "--calls", "5"}, "--find-max and --calls"},
      {{"wss://h", "--find-max", "--p99", "5ms", "--mode", "idle"}, "--find-max is for --mode calls"},
      {{"wss://h", "--json", "/tmp/same", "--html", "/tmp/same"}, "expected two files"},
  };
  for (const auto& [arguments, said] : cases) {
    const std::string text = mistake(arguments);
    INFO(said << " -> " << text);
    CHECK(has(text, said));
  }
}

TEST_CASE("a search has its bounds from the command line, with one for errors by default", "[options]") {
  const Asked asked = good({"wss://h", "--find-max", "--p99", "50ms"});
  CHECK(asked.find_max);
  CHECK(asked.thresholds.p99_ns == 50'000'000);
  CHECK(asked.thresholds.error_share == 0.001);
  CHECK(asked.plan.depth == 64);
}

TEST_CASE("no URL, two of them, an option that is none", "[options]") {
  CHECK(has(mistake({}), "no URL was given"));
  CHECK(has(mistake({"--quiet"}), "no URL was given"));
  CHECK(has(mistake({"ws://a", "ws://b"}), "found \"ws://b\" beside the URL"));
  CHECK(has(mistake({"ws://a", "--conections", "5"}), "--conections is no option: did you mean --connections?"));
  CHECK(has(mistake({"ws://a", "--zzz"}), "--zzz is no option"));
  CHECK(has(mistake({"ws://a", "--rate"}), "--rate"));
}

TEST_CASE("--help is the manual: every option, examples, units, exit status", "[options]") {
  const auto ended = read({"--help"});
  REQUIRE(!ended);
  CHECK(ended.error().exit_code == 0);
  const std::string& help = ended.error().text;
  Flags flags;
  CLI::App app;
  describe(app, flags);
  for (const CLI::Option* option : app.get_options()) CHECK(has(help, option->get_name()));
  for (const char* part : {"Examples:", "Exit status:", "250us", "130 or 143"}) CHECK(has(help, part));
  std::size_t examples = 0;
  for (std::size_t at = 0; (at = help.find("\n  ringwall-bench ", at)) != std::string::npos; ++at) ++examples;
  CHECK(examples == 5);
  for (std::size_t begin = 0; begin < help.size();) {
    const std::size_t end = help.find('\n', begin);
    CHECK(end - begin <= 120);
    begin = end + 1;
  }
}

TEST_CASE("--version tells the version and ends well", "[options]") {
  const auto asked = read({"--version"});
  REQUIRE(!asked);
  CHECK(asked.error().exit_code == 0);
  CHECK(asked.error().text.starts_with("ringwall-bench "));
}
