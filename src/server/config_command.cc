#include <cstdio>

#include <fmt/core.h>

#include <ringwall/config/sample.h>
#include <ringwall/server/options.h>

namespace ringwall::server {

int run_config(const Options&) {
  fmt::print("{}", config::sample());
  return std::fflush(stdout) == 0 ? 0 : 1;
}

}  // namespace ringwall::server
