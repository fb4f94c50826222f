#include "ctl_options.h"

#include <ringwall/admin/client.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::server {

namespace {

void add_at(CLI::App& app, CtlOptions& options) {
  app.add_option("--at", options.at, "Its admin.socket, or admin.address [/run/ringwall/admin.sock]")
      ->envname("RINGWALL_ADMIN_SOCKET")
      ->type_name("PATH|ADDR:PORT");
}

// The query is put together from what was written, in this order.
struct Query {
  std::string_view name;
  std::shared_ptr<std::string> value = std::make_shared<std::string>();
};

void add(CLI::App& ctl, CtlOptions& options, const std::string& name, const std::string& help, std::string_view method,
         const std::function<void(CLI::App&, std::vector<Query>&)>& add_values = {}) {
  CLI::App& command = *ctl.add_subcommand(name, help);
  auto query = std::make_shared<std::vector<Query>>();
  if (add_values) add_values(command, *query);
  command.callback([&options, name, method, query] {
    options.method = method;
    options.target = "/" + name;
    char before = '?';
    for (const Query& part : *query) {
      if (part.value->empty()) continue;
      options.target.append(1, before).append(part.name).append("=").append(admin::percent_encoded(*part.value));
      before = '&';
    }
  });
}

auto value(std::string_view name, const std::string& option, const std::string& type, const std::string& help,
           bool required = false) {
  return [=](CLI::App& command, std::vector<Query>& query) {
    query.push_back({.name = name});
    command.add_option(option, *query.back().value, help)->type_name(type)->required(required);
  };
}

auto both(auto first, auto second) {
  return [=](CLI::App& command, std::vector<Query>& query) {
    first(command, query);
    second(command, query);
  };
}

}  // namespace

void add_ctl(CLI::App& ctl, CtlOptions& options) {
  const auto limit = value("limit", "--limit", "N", "Of so many lines at most");
  ctl.require_subcommand(1);
  add_at(ctl, options);
  add(ctl, options, "status", "What it does, at a glance (JSON)", "GET");
  add(ctl, options, "health", "Whether it lives: exit code 0 or 1", "GET");
  add(ctl, options, "ready", "Whether clients may be sent to it: exit code 0 or 1", "GET",
      value("upstream", "upstream", "NAME", "Those of this upstream; else of any"));
  add(ctl, options, "metrics", "For Prometheus", "GET");
  add(ctl, options, "sessions", "Who is connected (JSON)", "GET",
      both(value("address", "--address", "ADDR|RANGE", "Only of these"), limit));
  add(ctl, options, "top", "Who asks for most (JSON)", "GET",
      both(value("by", "--by", "units|calls|bytes", "Of what [units]"), limit));
  add(ctl, options, "bans", "Who is shut out (JSON)", "GET");
  add(ctl, options, "ban", "Shut an address or a range out, and end its sessions", "POST",
      both(value("address", "address", "ADDR|RANGE", "", true), value("for", "--for", "TIME", "How long [1h]")));
  add(ctl, options, "unban", "Let it in again", "POST", value("address", "address", "ADDR|RANGE", "", true));
  add(ctl, options, "log-level", "From here on, the least grave lines to write", "POST",
      value("level", "level", "debug|info|warning|error", "", true));
  add(ctl, options, "reload", "Read the configuration again", "POST");
  add(ctl, options, "drain", "Stop in order: as SIGTERM does", "POST");
  add(ctl, options, "upgrade", "A new process takes over: as SIGUSR2 has it", "POST");
}

void add_top(CLI::App& top, CtlOptions& options) {
  add_at(top, options);
  top.add_flag("--once", options.once, "Print it once, as plain text");
  top.add_option("--by", options.by, "What talkers are sorted by [units]")
      ->type_name("units|calls|bytes")
      ->check(CLI::IsMember({"units", "calls", "bytes"}));
}

}  // namespace ringwall::server
