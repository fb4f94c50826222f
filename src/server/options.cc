#include <ringwall/server/options.h>
#include <ringwall/server/output.h>

#include <unistd.h>

#include <algorithm>
#include <sstream>
#include <string_view>

#include <fmt/core.h>
#include <CLI/CLI.hpp>

#include <ringwall/config/given.h>
#include <ringwall/config/suggestion.h>

#include "ctl_options.h"

namespace ringwall::server {
namespace {

constexpr int usage_error = 2;

constexpr const char* explanation =
    R"(Ringwall: a secure WebSocket (wss) and HTTPS proxy for Polkadot and Substrate nodes.

It ends TLS, speaks WebSocket and HTTP to clients, and relays JSON-RPC to the node's plain port.

  Try it, with a node on 127.0.0.1:9944 and a certificate that Ringwall makes itself:
    ringwall --listen 127.0.0.1:8443 --self-signed localhost

  Serve the public, with certbot's certificate:
    ringwall --listen '*:443' --node 127.0.0.1:9944 \
             --cert /etc/letsencrypt/live/rpc.example.com/fullchain.pem \
             --key /etc/letsencrypt/live/rpc.example.com/privkey.pem

  Everything else stands in a file:
    ringwall config > ringwall.toml          every setting, with comments
    ringwall check --config ringwall.toml    what is wrong with it, all at once
    ringwall --config ringwall.toml          run

  ringwall ctl, top   ask one that runs, steer it, watch it
  ringwall doctor     what this machine and kernel offer, and what to do about the rest
  ringwall cert       make a self-signed certificate
  ringwall --help     every flag

Every JSON-RPC call is read: unsafe and unknown methods are refused (--methods), and each address is held to its
limits (--limits; ringwall config shows them all).
)";

// The flags that describe one listener and one node, as they were written.
struct Flags {
  std::string config_file;
  std::vector<std::string> listens;
  std::optional<std::string> node{};
  std::vector<std::string> certs;
  std::vector<std::string> keys;
  std::vector<std::string> self_signed;
  bool plain = false;
  std::string shards;
  std::string mode;
  std::string methods;
  std::string limits;
  std::string admin;
  std::vector<std::string> sets;
};

// One value each time it is written; CLI11 would otherwise take all that follows.
void add_repeated(CLI::App& app, const std::string& name, std::vector<std::string>& values, const std::string& value,
                  const std::string& help) {
  app.add_option(name, values, help)->allow_extra_args(false)->type_name(value);
}

void add_flags(CLI::App& app, Flags& flags) {
  app.add_option("--config", flags.config_file, "Read this TOML file")->type_name("FILE");
  add_repeated(app, "--listen", flags.listens, "ADDR:PORT", "Where clients connect; again for more [*:443]");
  app.add_option("--node", flags.node, "The node's RPC port; several with commas [127.0.0.1:9944]")
      ->type_name("HOST:PORT");
  add_repeated(app, "--cert", flags.certs, "FILE", "Certificate chain, PEM; again for more, each with its --key");
  add_repeated(app, "--key", flags.keys, "FILE", "Private key, PEM");
  add_repeated(app, "--self-signed", flags.self_signed, "NAME", "Make and keep a certificate for this name or address");
  app.add_flag("--plain", flags.plain, "No TLS, for use behind something that ends it");
  app.add_option("--shards", flags.shards, "Threads, each with a ring and a core [auto]")->type_name("N|auto");
  app.add_option("--mode", flags.mode, "JSON-RPC, or bytes both ways after the upgrade [rpc]")->type_name("rpc|tunnel");
  app.add_option("--methods", flags.methods, "Known safe methods; all but known unsafe ones; all [safe]")
      ->type_name("safe|open|all");
  app.add_option("--limits", flags.limits, "Whether the limits of addresses and connections are held [on]")
      ->type_name("on|off");
  app.add_option("--admin", flags.admin, "Where metrics, health and sessions are told, over plain HTTP [nowhere]")
      ->type_name("ADDR:PORT");
  add_repeated(app, "--set", flags.sets, "FIELD=VALUE", "Any setting, such as timeouts.head_ms=5s; again for more");
}

void add_cert_options(CLI::App& app, CertOptions& cert) {
  add_repeated(app, "--name", cert.names, "NAME", "DNS name or IP address; again for more [localhost, 127.0.0.1, ::1]");
  app.add_flag("--rsa", cert.rsa, "RSA 2048; without it ECDSA P-256");
  app.add_option("--days", cert.days, "How long it is valid [365]")->type_name("N");
  app.add_option("--out-cert", cert.cert_file, "[ringwall-cert.pem]")->type_name("FILE");
  app.add_option("--out-key", cert.key_file, "[ringwall-key.pem]")->type_name("FILE");
}

void add_listener(const Flags& flags, std::size_t index, std::vector<config::Setting>& settings) {
  const auto add = [&](const std::string& flag, const std::string& field, const std::string& value) {
    settings.push_back({fmt::format("{} {}", flag, value), fmt::format("listener[{}].{}", index, field), value});
  };
  if (index < flags.listens.size()) {
    add("--listen", "address", flags.listens[index]);
  }
  if (flags.plain) {
    settings.push_back({"--plain", fmt::format("listener[{}].kind", index), "plain"});
  }
  for (std::size_t i = 0; i < flags.certs.size(); ++i) {
    add("--cert", fmt::format("certificate[{}].cert", i), flags.certs[i]);
  }
  for (std::size_t i = 0; i < flags.keys.size(); ++i) {
    add("--key", fmt::format("certificate[{}].key", i), flags.keys[i]);
  }
  if (!flags.self_signed.empty()) {
    std::string names;
    for (const std::string& name : flags.self_signed) {
      names += (names.empty() ? "" : ",") + name;
    }
    add("--self-signed", "self_signed", names);
  }
  if (!flags.mode.empty()) {
    add("--mode", "mode", flags.mode);
  }
}

std::vector<config::Setting> settings_of(const Flags& flags) {
  std::vector<config::Setting> settings;
  for (std::size_t i = 0; i < std::max<std::size_t>(flags.listens.size(), 1); ++i) {
    add_listener(flags, i, settings);
  }
  if (flags.node) {
    const bool is_one = flags.node->find(',') == std::string::npos;
    settings.push_back(
        {"--node " + *flags.node, is_one ? "upstream[0].address" : "upstream[0].addresses", *flags.node});
  }
  if (!flags.shards.empty()) {
    settings.push_back({"--shards " + flags.shards, "server.shards", flags.shards});
  }
  if (!flags.methods.empty()) {
    settings.push_back({"--methods " + flags.methods, "methods.policy", flags.methods});
  }
  if (!flags.limits.empty()) {
    settings.push_back({"--limits " + flags.limits, "limits.enabled", flags.limits});
  }
  if (!flags.admin.empty()) {
    settings.push_back({"--admin " + flags.admin, "admin.address", flags.admin});
  }
  for (const std::string& set : flags.sets) {
    const std::size_t equals = std::min(set.find('='), set.size());
    const std::string field = set.substr(0, equals);
    settings.push_back({"--set", field, set.substr(std::min(equals + 1, set.size()))});
  }
  return settings;
}

std::vector<std::pair<std::string, std::string>> environment() {
  std::vector<std::pair<std::string, std::string>> variables;
  for (const char* const* entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const std::size_t equals = text.find('=');
    if (equals != text.npos) {
      variables.emplace_back(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return variables;
}

std::unexpected<int> refuse(std::string_view why) {
  print_error(fmt::format("ringwall: {}\nringwall --help shows every flag.\n", why));
  return std::unexpected(usage_error);
}

// Of a word where a command could stand: which there are.
std::optional<std::string> unknown_command(const CLI::App& app) {
  std::vector<std::string> commands;
  for (const CLI::App* command : app.get_subcommands({})) {
    commands.push_back(command->get_name());
  }
  const std::vector<std::string> rest = app.remaining();
  if (rest.empty() || rest.front().starts_with('-') || std::ranges::find(commands, rest.front()) != commands.end()) {
    return std::nullopt;
  }
  if (const std::optional<std::string> meant = config::nearest(rest.front(), commands)) {
    return fmt::format("{} is no command, {} perhaps", config::quoted(rest.front()), *meant);
  }
  std::string known;
  for (const std::string& command : commands) {
    known += (known.empty() ? "" : ", ") + command;
  }
  return fmt::format("{} is no command; there are {}; without one, Ringwall serves", config::quoted(rest.front()),
                     known);
}

}  // namespace

std::expected<Options, int> parse_options(int argc, const char* const* argv) {
  Options options;
  options.sources.environment = environment();
  if (argc <= 1 && !config::has_settings(options.sources.environment)) {
    return std::unexpected(print(explanation));
  }
  Flags flags;
  CLI::App app("Ringwall: a secure WebSocket (wss) and HTTPS proxy for Polkadot and Substrate nodes.", "ringwall");
  app.set_version_flag("--version", "ringwall " RINGWALL_VERSION);
  app.require_subcommand(0, 1);
  add_flags(app, flags);
  CLI::App& check = *app.add_subcommand("check", "Say everything that is wrong with the configuration");
  CLI::App& sample = *app.add_subcommand("config", "Print the whole configuration with comments");
  CLI::App& cert = *app.add_subcommand("cert", "Make a self-signed certificate");
  CLI::App& doctor = *app.add_subcommand("doctor", "Say what this kernel and machine offer");
  add_flags(check, flags);
  CLI::App& ctl = *app.add_subcommand("ctl", "Ask a Ringwall that runs, or steer it");
  CLI::App& top = *app.add_subcommand("top", "Watch a Ringwall that runs");
  add_cert_options(cert, options.cert);
  add_ctl(ctl, options.ctl);
  add_top(top, options.ctl);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& said) {
    std::ostringstream text;
    app.exit(said, text, text);
    return std::unexpected(print(text.str()));
  } catch (const CLI::ParseError& error) {
    const std::optional<std::string> word = unknown_command(app);
    return refuse(word ? *word : error.what());
  }
  for (const std::string& set : flags.sets) {
    if (const std::size_t equals = set.find('='); equals == set.npos || equals == 0) {
      return refuse(fmt::format("--set {}: expected FIELD=VALUE such as timeouts.head_ms=5s", set));
    }
  }
  options.command = check.parsed()    ? Command::check
                    : sample.parsed() ? Command::config
                    : cert.parsed()   ? Command::cert
                    : doctor.parsed() ? Command::doctor
                    : ctl.parsed()    ? Command::ctl
                    : top.parsed()    ? Command::top
                                      : Command::serve;
  options.sources.file = flags.config_file;
  options.sources.command_line = settings_of(flags);
  return options;
}

}  // namespace ringwall::server
