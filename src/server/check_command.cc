#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include <ringwall/config/load.h>
#include <ringwall/server/certificates.h>
#include <ringwall/server/offload.h>
#include <ringwall/server/options.h>
#include <ringwall/server/output.h>
#include <ringwall/server/process.h>
#include <ringwall/tls/certificate.h>

namespace ringwall::server {
namespace {

std::string counted(std::size_t count, const char* noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
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

// By whoever has just become server.user: a line for each thing that it cannot read.
std::string unread_text(const config::Config& config, const std::string& config_file) {
  if (const Result<void> became = drop_privileges(config.server.user, config.server.group); !became) {
    return "warning: what server.user can read was not tried: " + became.error().message + "\n";
  }
  std::string text;
  for (const std::string& line : unreadable_when_renewed(config, config_file, files_of(config))) {
    text += "server.user: warning: " + line + "\n";
  }
  return text;
}

// Root reads everything, and at the start it is root that reads. What is read later is tried by a process of its own,
// as the kernel judges it: with groups, access lists and the folders above. Another account sees no more than its own
// share, and the start will tell it that it cannot become server.user.
std::string unread_by_user(const config::Config& config, const std::string& config_file) {
  if (config.server.user.empty() || geteuid() != 0) return "";
  const std::string untried = "warning: what server.user can read was not tried: ";
  std::array<int, 2> ends{};
  if (pipe2(ends.data(), O_CLOEXEC) != 0) return untried + std::strerror(errno) + "\n";
  const pid_t child = fork();
  if (child == 0) {
    const std::string text = unread_text(config, config_file);
    std::size_t written = 0;
    for (ssize_t part = 1; written < text.size() && part > 0;
         written += part > 0 ? static_cast<std::size_t>(part) : 0) {
      part = write(ends[1], text.data() + written, text.size() - written);
    }
    _exit(0);
  }
  const int error = errno;
  close(ends[1]);
  std::string text = child < 0 ? untried + std::strerror(error) + "\n" : "";
  std::array<char, 4096> part{};
  for (ssize_t bytes = 0; (bytes = read(ends[0], part.data(), part.size())) > 0;) {
    text.append(part.data(), static_cast<std::size_t>(bytes));
  }
  close(ends[0]);
  if (child > 0) waitpid(child, nullptr, 0);
  return text;
}

}  // namespace

int run_check(const Options& options) {
  config::Sources sources = options.sources;
  sources.judge_certificate = judge_certificate;
  sources.judge_kernel_tls = judge_kernel_tls;
  const std::expected<config::Config, std::vector<config::Problem>> loaded = config::load(sources);
  if (!loaded) {
    std::string text;
    for (const config::Problem& problem : loaded.error()) text += config::to_text(problem) + "\n";
    return print(text, 1);
  }
  return print(warnings(*loaded) + unread_by_user(*loaded, sources.file) +
               fmt::format("{}: good: {}, {}\n", options.sources.file.empty() ? "configuration" : options.sources.file,
                           counted(loaded->listeners.size(), "listener"),
                           counted(loaded->upstreams.size(), "upstream")));
}

}  // namespace ringwall::server
