#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include <fmt/core.h>

#include <ringwall/config/load.h>
#include <ringwall/server/options.h>
#include <ringwall/tls/certificate.h>

namespace ringwall::server {
namespace {

std::string counted(std::size_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

// The certificates as TLS will use them: whether the key fits, the chain is in order, the time is right.
bool check_certificates(const config::Config& config) {
  bool usable = true;
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    const std::vector<config::Certificate>& certificates = config.listeners[i].certificates;
    for (std::size_t j = 0; j < certificates.size(); ++j) {
      const std::string field = fmt::format("listener[{}].certificate[{}]", i, j);
      const Result<tls::Identity> identity =
          tls::load_identity({certificates[j].cert, certificates[j].key, certificates[j].ocsp});
      if (!identity) {
        fmt::print("{}: {}\n", field, identity.error().message);
        usable = false;
        continue;
      }
      for (const std::string& warning : tls::warnings(*identity, static_cast<std::int64_t>(std::time(nullptr)))) {
        fmt::print("{}: warning: {}\n", field, warning);
      }
    }
  }
  return usable;
}

}  // namespace

int run_check(const Options& options) {
  const std::expected<config::Config, std::vector<config::Problem>> loaded = config::load(options.sources);
  if (!loaded) {
    for (const config::Problem& problem : loaded.error()) {
      fmt::print("{}\n", config::to_text(problem));
    }
    return 1;
  }
  if (!check_certificates(*loaded)) {
    return 1;
  }
  fmt::print("{}: good: {}, {}\n", options.sources.file.empty() ? "configuration" : options.sources.file,
             counted(loaded->listeners.size(), "listener"), counted(loaded->upstreams.size(), "upstream"));
  return 0;
}

}  // namespace ringwall::server
