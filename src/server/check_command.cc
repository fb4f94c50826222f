#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include <ringwall/config/load.h>
#include <ringwall/server/offload.h>
#include <ringwall/server/options.h>
#include <ringwall/server/output.h>
#include <ringwall/tls/certificate.h>

namespace ringwall::server {
namespace {

std::string counted(std::size_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

tls::Certificate files_of(const config::Certificate& row) { return {row.cert, row.key, row.ocsp}; }

// The pair as TLS will use it: whether the key fits and the chain is in order. A message begins with the file that it
// is about, and may end with what is right.
std::optional<config::CertificateProblem> judge(const config::Certificate& row) {
  constexpr std::string_view advice = "; right is ";
  const Result<tls::Identity> identity = tls::load_identity(files_of(row));
  if (identity) return std::nullopt;
  const std::string& message = identity.error().message;
  const auto is_about = [&message](const std::string& file) { return message.starts_with(file + ": "); };
  const std::size_t end = message.find(advice);
  return config::CertificateProblem{
      .field = is_about(row.cert)   ? "cert"
               : is_about(row.key)  ? "key"
               : is_about(row.ocsp) ? "ocsp"
                                    : "cert",
      .found = message.substr(0, end),
      .expected = end == message.npos ? "a certificate with its key" : message.substr(end + advice.size())};
}

std::optional<config::ValueProblem> judge_kernel_tls() {
  const std::optional<Obstacle> met = obstacle(try_kernel_tls());
  if (!met) return std::nullopt;
  return config::ValueProblem{.found = "\"kernel\", but " + met->found,
                              .expected = met->remedy + ", or \"auto\" or \"user\""};
}

std::string warnings(const config::Config& config) {
  std::string text;
  for (std::size_t i = 0; i < config.listeners.size(); ++i) {
    const std::vector<config::Certificate>& certificates = config.listeners[i].certificates;
    for (std::size_t j = 0; j < certificates.size(); ++j) {
      const Result<tls::Identity> identity = tls::load_identity(files_of(certificates[j]));
      if (!identity) continue;  // judged before; the files have changed since
      for (const std::string& warning : tls::warnings(*identity, static_cast<std::int64_t>(std::time(nullptr)))) {
        text += fmt::format("listener[{}].certificate[{}]: warning: {}\n", i, j, warning);
      }
    }
  }
  return text;
}

}  // namespace

int run_check(const Options& options) {
  config::Sources sources = options.sources;
  sources.judge_certificate = judge;
  sources.judge_kernel_tls = judge_kernel_tls;
  const std::expected<config::Config, std::vector<config::Problem>> loaded = config::load(sources);
  if (!loaded) {
    std::string text;
    for (const config::Problem& problem : loaded.error()) text += config::to_text(problem) + "\n";
    return print(text, 1);
  }
  return print(warnings(*loaded) + fmt::format("{}: good: {}, {}\n",
                                               options.sources.file.empty() ? "configuration" : options.sources.file,
                                               counted(loaded->listeners.size(), "listener"),
                                               counted(loaded->upstreams.size(), "upstream")));
}

}  // namespace ringwall::server
