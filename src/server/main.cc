#include <ringwall/config/load.h>
#include <ringwall/server/options.h>
#include <ringwall/server/output.h>
#include <ringwall/server/process.h>
#include <ringwall/server/serve.h>

#include <utility>

int main(int argc, char** argv) {
  using namespace ringwall;
  server::open_standard_streams();
  server::say_when_memory_is_out();
  const std::expected<server::Options, int> options = server::parse_options(argc, argv);
  if (!options) return options.error();
  switch (options->command) {
    case server::Command::check:
      return server::run_check(*options);
    case server::Command::config:
      return server::run_config(*options);
    case server::Command::cert:
      return server::run_cert(*options);
    case server::Command::doctor:
      return server::run_doctor(*options);
    case server::Command::ctl:
      return server::run_ctl(*options);
    case server::Command::top:
      return server::run_top(*options);
    case server::Command::serve:
      break;
  }
  auto config = config::load(options->sources);
  if (!config) {
    for (const config::Problem& problem : config.error()) server::print_error(config::to_text(problem) + "\n");
    return 1;
  }
  return server::serve(std::move(*config), options->sources);
}
