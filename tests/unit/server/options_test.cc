#include <ringwall/server/options.h>

#include <stdlib.h>

#include <algorithm>

#include "unit/catch.h"
#include "unit/server/captured.h"

using namespace ringwall;
using namespace ringwall::server;

namespace {

std::expected<Options, int> parse(std::vector<const char*> arguments) {
  arguments.insert(arguments.begin(), "ringwall");
  return parse_options(static_cast<int>(arguments.size()), arguments.data());
}

std::vector<std::string> settings(const std::vector<const char*>& arguments) {
  std::vector<std::string> texts;
  const auto options = parse(arguments);
  REQUIRE(options);
  for (const config::Setting& setting : options->sources.command_line) {
    texts.push_back(setting.field + "=" + setting.value);
  }
  return texts;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("without arguments the program explains itself in a screen and ends with 0") {
  Captured out(stdout);
  CHECK(parse({}) == std::unexpected(0));
  const std::string text = out.text();
  CHECK(text.find("ringwall --listen 127.0.0.1:8443 --self-signed localhost") != text.npos);
  CHECK(text.find("--methods") != text.npos);
  CHECK(std::ranges::count(text, '\n') <= 24);
}

TEST_CASE("help and version go to standard output and end with 0") {
  Captured out(stdout);
  CHECK(parse({"--help"}) == std::unexpected(0));
  CHECK(parse({"check", "--help"}) == std::unexpected(0));
  CHECK(parse({"--version"}) == std::unexpected(0));
  const std::string text = out.text();
  for (const char* flag : {"--config", "--listen", "--node", "--cert", "--key", "--self-signed", "--plain", "--shards",
                           "--mode", "--set", "check", "doctor"}) {
    INFO(flag);
    CHECK(text.find(flag) != text.npos);
  }
  CHECK(text.find("\nringwall " RINGWALL_VERSION "\n") != text.npos);
}

TEST_CASE("a wrong command line is told on standard error and ends with 2") {
  const std::vector<std::vector<const char*>> wrong{{"--bogus"},
                                                    {"serve"},
                                                    {"--listen"},
                                                    {"--listen", "a", "b"},
                                                    {"--set", "x"},
                                                    {"--set", "=x"},
                                                    {"--plain=maybe"},
                                                    {"check", "config"},
                                                    {"doctor", "--listen", "a"},
                                                    {"cert", "--days", "soon"},
                                                    {"--node", "a", "--node", "b"}};
  for (const std::vector<const char*>& arguments : wrong) {
    Captured error(stderr);
    Captured out(stdout);
    CHECK(parse(arguments) == std::unexpected(2));
    CHECK(error.text().starts_with("ringwall: "));
    CHECK(out.text().empty());
  }
}

TEST_CASE("a word that is no command is answered with the nearest, or with all") {
  const auto said = [](const std::vector<const char*>& arguments) {
    Captured error(stderr);
    CHECK(parse(arguments) == std::unexpected(2));
    return error.text();
  };
  CHECK(said({"chek"}).starts_with("ringwall: \"chek\" is no command, check perhaps\n"));
  CHECK(
      said({"serve"}).starts_with("ringwall: \"serve\" is no command; there are check, config, cert, doctor, ctl, top; "
                                  "without one, Ringwall serves\n"));
  CHECK(said({"--bogus"}).find("command") == std::string::npos);
}

TEST_CASE("flags describe the first listener and the first node") {
  CHECK(settings({"--listen", "*:8443", "--node", "[::1]:9944", "--shards", "auto", "--mode", "tunnel"}) ==
        Texts{"listener[0].address=*:8443", "listener[0].mode=tunnel", "upstream[0].address=[::1]:9944",
              "server.shards=auto"});
  CHECK(settings({"--plain"}) == Texts{"listener[0].kind=plain"});
  CHECK(settings({"--node", "a:1,b:2"}) == Texts{"upstream[0].addresses=a:1,b:2"});
  CHECK(settings({"--self-signed", "a", "--self-signed", "b"}) == Texts{"listener[0].self_signed=a,b"});
}

TEST_CASE("certificates and keys pair up in their order") {
  CHECK(settings({"--cert", "a", "--key", "b", "--cert", "c", "--key", "d"}) ==
        Texts{"listener[0].certificate[0].cert=a", "listener[0].certificate[1].cert=c",
              "listener[0].certificate[0].key=b", "listener[0].certificate[1].key=d"});
}

TEST_CASE("a second --listen is a second listener with the same certificate, kind and mode") {
  CHECK(settings({"--listen", "a", "--listen", "b", "--cert", "c", "--key", "k"}) ==
        Texts{"listener[0].address=a", "listener[0].certificate[0].cert=c", "listener[0].certificate[0].key=k",
              "listener[1].address=b", "listener[1].certificate[0].cert=c", "listener[1].certificate[0].key=k"});
}

TEST_CASE("--set comes after the other flags and keeps what follows its first equals sign") {
  CHECK(settings({"--set", "server.shards=2", "--shards", "1", "--set", "server.user="}) ==
        Texts{"server.shards=1", "server.shards=2", "server.user="});
  CHECK(settings({"--set", "server.state_dir=/a=b"}) == Texts{"server.state_dir=/a=b"});
}

TEST_CASE("a problem with a flag names it as it was written") {
  const auto options = parse({"--config", "", "--listen", "0.0.0.0", "--plain", "--set", "timeouts.head_ms=x"});
  REQUIRE(options);
  const auto config = config::load(options->sources);
  REQUIRE_FALSE(config);
  REQUIRE(config.error().size() == 2);
  CHECK(config.error()[0].file == "--listen 0.0.0.0");
  CHECK(config.error()[1].file == "--set");
}

TEST_CASE("every kind of flag is a setting that the schema knows") {
  const auto options = parse({"--listen", "127.0.0.1:1", "--node", "a:1", "--self-signed", "a", "--shards", "2",
                              "--mode", "rpc", "--set", "limits.head_bytes_max=4KiB"});
  REQUIRE(options);
  const auto config = config::load(options->sources);
  REQUIRE(config);
  CHECK(config->server.shards == 2);
  CHECK(config->limits.head_bytes_max == 4'096);
  CHECK(config::load(parse({"--listen", "127.0.0.1:1", "--listen", "[::1]:1", "--plain"})->sources));
}

TEST_CASE("the environment comes along") {
  ::setenv("RINGWALL_TIMEOUTS_HEAD_MS", "7s", 1);
  const auto options = parse({"--plain"});
  ::unsetenv("RINGWALL_TIMEOUTS_HEAD_MS");
  REQUIRE(options);
  CHECK(config::load(options->sources)->timeouts.head_ms == 7'000);
}

TEST_CASE("subcommands are told apart, and check takes the flags of the program before and after it") {
  CHECK(parse({"--plain"})->command == Command::serve);
  CHECK(parse({"doctor"})->command == Command::doctor);
  CHECK(parse({"config"})->command == Command::config);
  CHECK(parse({"cert"})->command == Command::cert);
  for (const auto& options : {parse({"check", "--config", "a.toml"}), parse({"--config", "a.toml", "check"})}) {
    REQUIRE(options);
    CHECK(options->command == Command::check);
    CHECK(options->sources.file == "a.toml");
  }
}

TEST_CASE("cert has names, a kind, days and places, with defaults") {
  const auto plain = parse({"cert"});
  REQUIRE(plain);
  CHECK(plain->cert.names == Texts{"localhost", "127.0.0.1", "::1"});
  CHECK_FALSE(plain->cert.rsa);
  const auto given = parse({"cert", "--name", "a.example.com", "--name", "10.0.0.1", "--rsa", "--days", "30",
                            "--out-cert", "c", "--out-key", "k"});
  REQUIRE(given);
  CHECK(given->cert.names == Texts{"a.example.com", "10.0.0.1"});
  CHECK(given->cert.rsa);
  CHECK(given->cert.days == 30);
  CHECK(given->cert.cert_file == "c");
  CHECK(given->cert.key_file == "k");
}

TEST_CASE("--admin says where operators ask") {
  CHECK(settings({"--admin", "127.0.0.1:9090"}) == Texts{"admin.address=127.0.0.1:9090"});
}

TEST_CASE("ctl's words become a request") {
  const auto target = [](std::vector<const char*> arguments) {
    const auto options = parse(std::move(arguments));
    REQUIRE(options);
    CHECK(options->command == Command::ctl);
    return options->ctl.method + " " + options->ctl.target;
  };
  CHECK(target({"ctl", "health"}) == "GET /health");
  CHECK(target({"ctl", "ban", "2001:db8::/48", "--for", "10m"}) == "POST /ban?address=2001%3Adb8%3A%3A%2F48&for=10m");
  CHECK(target({"ctl", "sessions", "--limit", "5"}) == "GET /sessions?limit=5");
  CHECK(target({"ctl", "log-level", "debug"}) == "POST /log-level?level=debug");
}

TEST_CASE("ctl and top find the socket where systemd has it, or where they are told") {
  unsetenv("RINGWALL_ADMIN_SOCKET");
  CHECK(parse({"ctl", "health"})->ctl.at == "/run/ringwall/admin.sock");
  CHECK(parse({"ctl", "--at", "127.0.0.1:9090", "health"})->ctl.at == "127.0.0.1:9090");
  CHECK(parse({"top", "--at", "/tmp/a.sock", "--once"})->ctl.at == "/tmp/a.sock");
  CHECK(parse({"top", "--at", "/tmp/a.sock", "--once"})->ctl.once);
  setenv("RINGWALL_ADMIN_SOCKET", "/tmp/b.sock", 1);
  CHECK(parse({"ctl", "health"})->ctl.at == "/tmp/b.sock");
  unsetenv("RINGWALL_ADMIN_SOCKET");
}

TEST_CASE("ctl without a command, or with one that there is not, is a mistake") {
  Captured err(stderr);
  CHECK(parse({"ctl"}) == std::unexpected(2));
  CHECK(parse({"ctl", "dance"}) == std::unexpected(2));
  CHECK(parse({"ctl", "ban"}) == std::unexpected(2));
  CHECK(parse({"top", "--by", "beauty"}) == std::unexpected(2));
}
