#include "sim/kernel/world.h"

#include <ringwall/check.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <cerrno>
#include <cinttypes>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <utility>

namespace ringwall::sim {

namespace {

constexpr std::uint64_t first_retry_ns = 1 * second;  // of a SYN; each waits twice as long
constexpr std::uint64_t last_retry_ns = 64 * second;

// The world whose story a signal prints. Simulations run one at a time.
World* told = nullptr;
struct sigaction before_abort{};

void tell_and_abort(int) {
  if (World* world = std::exchange(told, nullptr)) world->print_story(stderr);
  sigaction(SIGABRT, &before_abort, nullptr);
  raise(SIGABRT);
}

std::string key_of(const ring::SocketAddress& address, bool any_host) {
  sockaddr_storage bytes{};
  if (address.storage.ss_family == AF_INET6) {
    auto& to = reinterpret_cast<sockaddr_in6&>(bytes);
    const auto& from = reinterpret_cast<const sockaddr_in6&>(address.storage);
    to.sin6_port = from.sin6_port;
    if (!any_host) to.sin6_addr = from.sin6_addr;
  } else {
    auto& to = reinterpret_cast<sockaddr_in&>(bytes);
    const auto& from = reinterpret_cast<const sockaddr_in&>(address.storage);
    to.sin_port = from.sin_port;
    if (!any_host) to.sin_addr = from.sin_addr;
  }
  bytes.ss_family = address.storage.ss_family;
  return {reinterpret_cast<const char*>(&bytes), sizeof(sockaddr_in6)};
}

}  // namespace

ring::SocketAddress address_of(const char* text, std::uint16_t port) {
  ring::SocketAddress address;
  auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
  if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    address.bytes = sizeof v4;
  } else {
    RINGWALL_CHECK(inet_pton(AF_INET6, text, &v6.sin6_addr) == 1);
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    address.bytes = sizeof v6;
  }
  return address;
}

World::World(const Settings& settings)
    : settings_(settings),
      random_(settings.seed),
      events_(random_.between(1 * second, 1'000'000 * second)),
      start_ns_(events_.now_ns()),
      progress_ns_(events_.now_ns()),
      exceptions_at_start_(std::uncaught_exceptions()) {
  RINGWALL_CHECK(told == nullptr);
  told = this;
  struct sigaction action{};
  action.sa_handler = tell_and_abort;
  sigaction(SIGABRT, &action, &before_abort);
}

World::~World() {
  if (std::uncaught_exceptions() > exceptions_at_start_) print_story(stderr);
  if (told == this) sigaction(SIGABRT, &before_abort, nullptr);
  told = nullptr;
}

void World::listen(const ring::SocketAddress& address, Listener& listener) {
  listeners_[key_of(address, false)].push_back(&listener);
}

void World::stop_listening(Listener& listener) {
  for (auto& [key, there] : listeners_) std::erase(there, &listener);
}

Listener* World::listener_at(const ring::SocketAddress& address) {
  for (const bool any_host : {false, true}) {
    const auto found = listeners_.find(key_of(address, any_host));
    if (found == listeners_.end() || found->second.empty()) continue;
    return found->second[random_.below(found->second.size())];
  }
  return nullptr;
}

std::shared_ptr<Endpoint> World::connect(const ring::SocketAddress& from, const ring::SocketAddress& to,
                                         ConnectFate fate) {
  const auto connection = std::make_shared<Connection>(*this, from, to);
  events_.after(connection->one_way_ns() + fate.delay_ns,
                [this, connection, to, fate] { knock(connection, to, fate.answer, first_retry_ns); });
  return connection->end(Side::client);
}

void World::knock(const std::shared_ptr<Connection>& connection, const ring::SocketAddress& to, Answer fate,
                  std::uint64_t retry_ns) {
  if (!connection->is_wanted()) return;
  Listener* listener = fate == Answer::accept ? listener_at(to) : nullptr;
  Answer answer = fate == Answer::accept ? Answer::refuse : fate;
  if (listener != nullptr) answer = listener->answer(connection->end(Side::server));
  switch (answer) {
    case Answer::accept:
      connection->establish_server();
      events_.after(connection->one_way_ns(), [connection] { connection->establish_client(); });
      break;
    case Answer::refuse:
      events_.after(connection->one_way_ns(), [connection] { connection->fail_connect(ECONNREFUSED); });
      break;
    case Answer::ignore:
      events_.after(retry_ns, [this, connection, to, fate, retry_ns] {
        if (retry_ns == last_retry_ns) return connection->fail_connect(ETIMEDOUT);
        knock(connection, to, fate, retry_ns * 2);
      });
      break;
  }
}

void World::check_bounds() {
  if (events_.now_ns() - start_ns_ > settings_.run_ns_max) fail("the run takes longer than its bound of virtual time");
  if (events_.now_ns() - progress_ns_ > settings_.quiet_ns_max) fail("no progress within the bound of virtual time");
  if (enters_since_progress_ > settings_.quiet_enters_max) fail("the program enters the kernel without any progress");
}

void World::fail(const char* what) {
  std::fprintf(stderr, "simulation: %s\n", what);
  std::abort();
}

void World::print_story(std::FILE* out) const {
  std::fprintf(out, "simulation seed %" PRIu64 ", %.6f s of virtual time\n", settings_.seed,
               static_cast<double>(events_.now_ns() - start_ns_) / 1e9);
  settings_.faults.print(out);
  trace_.print(out, start_ns_);
  std::fflush(out);
}

}  // namespace ringwall::sim
