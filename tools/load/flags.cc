#include "load/flags.h"

#include <CLI/CLI.hpp>

namespace ringwall::load {

namespace {

constexpr const char* description =
    R"(ringwall-bench: what a JSON-RPC endpoint does under load, over WebSocket (ws://, wss://) or POST (http://, https://).
Without options: 10 connections ask for 10 s what the users of a public Polkadot endpoint ask, each its next call
when the last is answered. Test only what is yours, or whose owner agreed.)";

constexpr const char* footer =
    R"(Examples:
  ringwall-bench wss://rpc.example.com
  ringwall-bench wss://rpc.example.com --rate 1k..20k --duration 2m --connections 500 --html report.html
  ringwall-bench wss://rpc.example.com --find-max --p99 50ms --connections 200
  ringwall-bench ws://127.0.0.1:9944 --call echo --payload 4096 --connections 50 --depth 16 --pid $(pidof ringwall)
  ringwall-bench wss://rpc.example.com --mode handshakes --resume --fail-p99 20ms --fail-errors 0.1% --json -

Times are written with their unit: 250us, 50ms, 10s, 2m. k is a thousand, M a million: 5k, 2.5k, 1M.
Closed loop: a call is sent when an earlier one was answered. Open loop (--rate): calls have their times whatever the
endpoint does, and latency counts from the time at which a call was to be sent.
A file for --mix has a call a line, such as {"method":"system_health","params":[],"weight":3}; "answer_bytes" may
stand beside them. Empty lines and those that begin with # are skipped. In tables METHOD#2 is a second call of that
method, with other params.
With --mode hostile the clients of the mix connect from the lower half of --source, the hostile from the upper half:
errors of the mix's calls then show what the innocent meet. Each kind of error is explained where it is told.
--json - writes to standard output, and the table to standard error.
Ctrl-C or SIGTERM ends the run in order: the table is still printed. A second one ends it at once.
Exit status: 0 thresholds held, or there were none; 1 one did not hold, or nothing could be measured; 2 a mistake on
the command line; 130 or 143 ended by Ctrl-C or SIGTERM. Errors alone are no 1: --fail-errors says how many are. But
--mode idle and subscribe, whose connections are what is asked, have a threshold where --fail-errors is not given: all
--connections are open at the end.)";

struct Adder {
  CLI::App& app;
  const char* group;

  template <typename Value>
  void operator()(const char* name, Value& value, const char* type, const char* help) const {
    app.add_option(name, value, help)->type_name(type)->group(group)->allow_extra_args(false);
  }
  void flag(const char* name, bool& value, const char* help) const { app.add_flag(name, value, help)->group(group); }
};

void describe_work(CLI::App& app, Flags& flags) {
  const Adder add{app, "What is done"};
  add("--mode", flags.mode, "MODE", "calls, handshakes, idle, subscribe or hostile [calls]");
  add("--mix", flags.mix, "NAME|FILE", "Calls like those of: public, apps, wallet, indexer; or of a file [public]");
  add("--call", flags.call, "METHOD", "This one call instead of a mix");
  add("--params", flags.params, "JSON", "Params of --call or --subscribe [none]");
  add("--payload", flags.payload, "BYTES", "Params of --call: one string of so many bytes");
  add("--answer-bytes", flags.answer_bytes, "N", "Each answer of --call has exactly so many bytes, else an error");
  add("--subscribe", flags.subscribe, "METHOD", "For --mode subscribe [chain_subscribeNewHeads]");
  add("--hostile", flags.hostile, "KIND",
      "For --mode hostile: slow-heads, slow-readers, floods, denied,\n"
      "huge-batches, churn or tls-handshakes; the mix's calls go on beside it");
  add("--hostile-connections", flags.hostile_connections, "N", "Hostile clients [100]");
}

void describe_amount(CLI::App& app, Flags& flags) {
  const Adder add{app, "How much of it"};
  add("--connections", flags.connections, "N", "Connections at a time [10; idle and subscribe 100]");
  add("--depth", flags.depth, "N", "Calls in flight on a connection [1; with --rate at most 64]");
  add("--rate", flags.rate, "R|R1..R2", "Open loop: calls a second over all connections, or from R1 to R2");
  add("--duration", flags.duration, "TIME", "What is measured [10s]");
  add("--warmup", flags.warmup, "TIME", "The same before it, not counted [1s]");
  add("--calls", flags.calls, "N", "Ends earlier, after so many calls (or handshakes)");
  add("--threads", flags.threads, "N", "Threads of this program [1]");
  add("--connect-rate", flags.connect_rate, "R", "Connections opened a second [as fast as it goes]");
  add("--timeout", flags.timeout, "TIME", "Of a connect, a handshake, an answer [10s]");
}

void describe_connections(CLI::App& app, Flags& flags) {
  const Adder add{app, "How it connects"};
  add("--tls", flags.tls, "1.2|1.3", "This version of TLS only [both]");
  add("--ca", flags.ca, "FILE", "Trust this CA's certificates (PEM) instead of the system's");
  add.flag("--insecure", flags.insecure, "Do not verify the certificate");
  add("--server-name", flags.server_name, "NAME", "For SNI and verification [the URL's host]");
  add.flag("--resume", flags.resume, "Resume TLS sessions: all connections but a thread's first");
  add("--source", flags.source, "ADDRS",
      "Connect from ADDR,ADDR,... or a network such as 127.0.0.0/24, in turn\n"
      "(--mode hostile: the hostile from its upper half)");
  add("--header", flags.headers, "'Name: value'", "Sent with each upgrade or POST; again for more");
  add("--subprotocol", flags.subprotocol, "NAME", "Asked for in the upgrade");
}

void describe_report(CLI::App& app, Flags& flags) {
  const Adder add{app, "What is told"};
  add("--pid", flags.pid, "PID", "Tell CPU and memory of this process, the endpoint's");
  add("--json", flags.json, "FILE|-", "Write all figures for machines");
  add("--html", flags.html, "FILE", "Write a report with plots, one file for a browser");
  add.flag("--quiet", flags.quiet, "No live line, and no table where --json or --html is written");
}

void describe_thresholds(CLI::App& app, Flags& flags) {
  const Adder add{app, "What is asked of it"};
  add("--fail-p99", flags.fail_p99, "TIME", "Exit status 1 where more than 1 % took longer");
  add("--fail-errors", flags.fail_errors, "SHARE", "Exit status 1 where more failed, such as 0.1%");
  add.flag("--find-max", flags.find_max,
           "Search the highest rate that keeps --p99 and --fail-errors [0.1%];\n"
           "each step takes --warmup and --duration");
  add("--p99", flags.p99, "TIME", "For --find-max");
}

}  // namespace

void describe(CLI::App& app, Flags& flags) {
  app.name("ringwall-bench");
  app.description(description);
  app.footer(footer);
  app.set_version_flag("--version", "ringwall-bench " RINGWALL_VERSION)->description("The version of this program");
  app.get_formatter()->column_width(32);
  app.add_option("URL", flags.url, "ws://, wss://, http:// or https://, HOST, :PORT, /PATH")->required()->type_name("");
  describe_work(app, flags);
  describe_amount(app, flags);
  describe_connections(app, flags);
  describe_report(app, flags);
  describe_thresholds(app, flags);
}

}  // namespace ringwall::load
