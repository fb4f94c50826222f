// ringwall-bench: load for JSON-RPC endpoints over WebSocket and POST, and what they do under it. See README.md.
#include <csignal>

#include <ringwall/server/output.h>
#include <ringwall/server/process.h>

#include "load/interrupter.h"
#include "load/options.h"
#include "load/run.h"
#include "load/session.h"

namespace {

using namespace ringwall;

int fail_with(const Error& error, int exit_code) {
  server::print_error("ringwall-bench: " + error.message + "\n");
  return exit_code;
}

}  // namespace

int main(int argc, char** argv) {
  server::open_standard_streams();
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a file that is as long as it may be is an error of writing
  auto asked = load::read_command_line(argc, argv);
  if (!asked) {
    const load::Ended& ended = asked.error();
    if (ended.exit_code == 0) return server::print(ended.text);
    server::print_error(ended.text);
    return ended.exit_code;
  }
  if (const auto found = load::reach(*asked); !found) return fail_with(found.error(), load::usage_error);
  const auto interrupter = load::Interrupter::install();
  if (!interrupter) return fail_with(interrupter.error(), 1);
  return load::run_session(*asked, *interrupter, load::run);
}
