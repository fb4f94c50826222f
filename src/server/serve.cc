#include <ringwall/server/serve.h>

#include <ringwall/log/log.h>
#include <ringwall/server/output.h>

#include "server.h"

#include <signal.h>

#include <string>
#include <utility>

namespace ringwall::server {

namespace {

int refuse(const std::string& why) {
  print_error("ringwall: " + why + "\n");
  return 1;
}

// Before there are threads, so that all of them inherit it.
void block_signals() {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a log that is as long as it may be loses lines
  signal(SIGUSR1, SIG_IGN);  // what rotates logs sends it to others; here it means nothing
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGHUP);
  sigaddset(&signals, SIGUSR2);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

}  // namespace

void log_warnings(const Contexts& contexts) {
  for (const auto& context : contexts) {
    if (!context) continue;
    for (const std::string& warning : context->warnings()) log::warning("certificate", warning);
  }
}

int serve(config::Config config, config::Sources sources) {
  log::set_up(config.log.format, config.log.level);
  block_signals();
  sources.judge_certificate = judge_certificate;  // not at the start, which reads them anyway
  Server server(std::move(config), std::move(sources));
  if (const Result<void> prepared = server.prepare(); !prepared) return refuse(prepared.error().message);
  if (const Result<void> started = server.start(); !started) return refuse(started.error().message);
  server.announce();
  if (const Result<void> ended = server.wait_for_end(); !ended) return refuse(ended.error().message);
  return 0;
}

}  // namespace ringwall::server
