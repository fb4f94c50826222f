#include "load/options.h"

#include <fmt/core.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <functional>

#include <ringwall/config/suggestion.h>

#include "load/flags.h"
#include "load/json_text.h"
#include "load/target.h"

namespace ringwall::load {

namespace {

std::string known_option_near(const CLI::App& app, const std::string& text) {
  std::vector<std::string> known;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_lnames().empty()) known.push_back("--" + option->get_lnames()[0]);
  }
  const auto near = config::nearest(text.substr(0, text.find('=')), known);
  return near ? ": did you mean " + *near + "?" : "";
}

Ended mistake(std::string_view sentence) {
  return {.exit_code = usage_error,
          .text = fmt::format("ringwall-bench: {}\nringwall-bench --help tells how it is used.\n", sentence)};
}

// An option that nobody knows is told with the nearest that is known; the rest CLI11 tells.
std::optional<Ended> unknown_option(const CLI::App& app) {
  const auto rest = app.remaining();
  if (rest.empty()) return std::nullopt;
  if (!rest[0].starts_with('-')) {
    return mistake(fmt::format("found \"{}\" beside the URL, expected one URL and options", excerpt(rest[0])));
  }
  return mistake(fmt::format("{} is no option{}", excerpt(rest[0]), known_option_near(app, rest[0])));
}

// Which of the addresses take a connection; the wait is bounded.
std::vector<bool> answering(const std::vector<ring::SocketAddress>& addresses, int timeout_ms) {
  std::vector<pollfd> waits;
  for (const ring::SocketAddress& address : addresses) {
    const int number = socket(address.get()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const bool is_under_way =
        number >= 0 && (connect(number, address.get(), address.bytes) == 0 || errno == EINPROGRESS);
    if (number >= 0 && !is_under_way) close(number);
    waits.push_back({.fd = is_under_way ? number : -1, .events = POLLOUT, .revents = 0});
  }
  std::vector<bool> answers(addresses.size());
  const auto is_pending = [](const pollfd& wait) { return wait.fd >= 0; };
  using Clock = std::chrono::steady_clock;
  auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
  while (std::ranges::any_of(waits, is_pending)) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0 || poll(waits.data(), waits.size(), static_cast<int>(left)) <= 0) break;
    for (std::size_t index = 0; index < waits.size(); ++index) {
      if (waits[index].fd < 0 || waits[index].revents == 0) continue;
      int error = 0;
      socklen_t size = sizeof error;
      answers[index] = getsockopt(waits[index].fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
      close(waits[index].fd);
      waits[index].fd = -1;
    }
    // Who is there is about as far as the first that answered.
    constexpr std::chrono::milliseconds more(250);
    if (std::ranges::any_of(answers, std::identity{})) deadline = std::min(deadline, Clock::now() + more);
  }
  for (const pollfd& wait : waits) {
    if (wait.fd >= 0) close(wait.fd);
  }
  return answers;
}

// "localhost" is often ::1 and 127.0.0.1, with somebody at one of them only.
void keep_those_that_answer(Target& target, std::uint64_t timeout_ns) {
  constexpr std::size_t asked_max = 64;
  if (target.addresses.size() < 2 || target.addresses.size() > asked_max) return;
  const int timeout_ms = static_cast<int>(std::min<std::uint64_t>(timeout_ns / 1'000'000, 5000));
  const auto answers = answering(target.addresses, timeout_ms);
  std::vector<ring::SocketAddress> kept;
  for (std::size_t index = 0; index < answers.size(); ++index) {
    if (answers[index]) kept.push_back(target.addresses[index]);
  }
  if (!kept.empty()) target.addresses = std::move(kept);
}

}  // namespace

std::expected<Asked, Ended> read_command_line(int argc, const char* const* argv) {
  Flags flags;
  CLI::App app;
  describe(app, flags);
  app.allow_extras();
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    return std::unexpected(Ended{.exit_code = 0, .text = app.help()});
  } catch (const CLI::CallForVersion& version) {
    return std::unexpected(Ended{.exit_code = 0, .text = std::string(version.what()) + "\n"});
  } catch (const CLI::ParseError& said) {
    if (auto unknown = unknown_option(app)) return std::unexpected(*unknown);
    const bool has_no_url = flags.url.empty() && app.count("URL") == 0 && app.get_option("URL")->empty();
    return std::unexpected(
        mistake(has_no_url && dynamic_cast<const CLI::RequiredError*>(&said) != nullptr
                    ? "no URL was given: expected one such as wss://rpc.example.com, and options after it"
                    : said.what()));
  }
  if (auto unknown = unknown_option(app)) return std::unexpected(*unknown);
  auto asked = asked_by(flags);
  if (!asked) return std::unexpected(mistake(asked.error().message));
  return *asked;
}

Result<void> reach(Asked& asked) {
  Plan& plan = asked.plan;
  const int family = plan.sources.empty() ? AF_UNSPEC : plan.sources[0].get()->sa_family;
  if (auto found = resolve(plan.target, family); !found) return found;
  if (!plan.sources.empty()) {
    if (auto usable = check_sources(plan.sources); !usable) return usable;
  }
  keep_those_that_answer(plan.target, plan.timeout_ns);
  return {};
}

}  // namespace ringwall::load
