// Many shards over the same accounts: the bounds that README.md of quota gives hold. Run under ThreadSanitizer too.
#include <ringwall/quota/admission.h>

#include "unit/catch.h"
#include "unit/quota/fixture.h"

#include <array>
#include <atomic>
#include <barrier>
#include <deque>
#include <memory>
#include <random>
#include <thread>
#include <utility>
#include <vector>

namespace ringwall::quota {
namespace {

constexpr unsigned shards = 4;
constexpr std::uint8_t sites = 2, subnets = 3;

// What all shards together gave.
struct Sum {
  std::array<std::atomic<std::uint64_t>, sites * subnets> addresses{};
  std::array<std::atomic<std::uint64_t>, sites> networks{};
  std::atomic<std::uint64_t> machine{0};
  std::atomic<std::uint64_t> refused{0};
};

// One shard's sessions: they open, call, are answered, unsubscribe and end at random.
class Sessions {
 public:
  Sessions(Accounts& accounts, const Terms& terms, Sum& sum, unsigned shard)
      : admission_(accounts, terms), sum_(sum), random_(shard) {}

  void act(std::uint64_t now_ns) {
    if (open_.size() < 10 || random_() % 16 == 0) open(now_ns);
    if (open_.empty()) return;
    Session& session = *open_[random_() % open_.size()];
    for (int i = 0; i < 4; ++i) call(session, now_ns);
    if (random_() % 8 == 0) post(now_ns);
    if (const std::uint32_t count = session.connection.subscriptions(); count > 0 && random_() % 4 == 0) {
      admission_.unsubscribed(session.connection, 1 + static_cast<std::uint32_t>(random_() % count));
    }
    admission_.answered(session.connection, session.connection.calls_in_flight());
    if (random_() % 8 == 0) open_.pop_front();
  }

 private:
  struct Session {
    std::uint8_t site = 0, subnet = 0;
    Connection connection{};
  };

  void open(std::uint64_t now_ns) {
    auto session = std::make_unique<Session>();
    session->site = static_cast<std::uint8_t>(random_() % sites);
    session->subnet = static_cast<std::uint8_t>(random_() % subnets);
    Client client = admission_.client(ipv6(session->site, session->subnet), now_ns);
    if (admission_.open(session->connection, std::move(client), now_ns).given) open_.push_back(std::move(session));
  }

  void call(Session& session, std::uint64_t now_ns) {
    const Request request{.units = 1 + random_() % 20, .subscriptions = random_() % 8 == 0 ? 1U : 0U};
    const Decision decision = admission_.charge(session.connection, request, now_ns);
    count(decision, session.site, session.subnet, request.units);
  }

  void post(std::uint64_t now_ns) {
    const auto site = static_cast<std::uint8_t>(random_() % sites);
    const auto subnet = static_cast<std::uint8_t>(random_() % subnets);
    Client client = admission_.client(ipv6(site, subnet), now_ns);
    count(admission_.charge(client, {.units = 5}, now_ns), site, subnet, 5);
  }

  void count(const Decision& decision, std::uint8_t site, std::uint8_t subnet, std::uint64_t units) {
    if (!decision.given) {
      ++sum_.refused;
      return;
    }
    sum_.addresses[static_cast<std::size_t>(site * subnets + subnet)] += units;
    sum_.networks[site] += units;
    sum_.machine += units;
  }

  Admission admission_;
  Sum& sum_;
  std::mt19937_64 random_;
  std::deque<std::unique_ptr<Session>> open_;
};

// Which limit is the narrow one: each case reaches another, and gives back to those before it.
void check_bounds(Rate address, Rate network, Rate machine) {
  constexpr unsigned phases = 300;
  Limits limits;
  limits.address.units = address;
  limits.network.units = network;
  limits.machine_units = machine;
  limits.address.connections_max = 6;
  limits.address.subscriptions_max = 20;
  const Terms terms = first_terms(limits, start_ns);
  Accounts accounts({}, small_layout);
  Sum sum;
  std::uint64_t now_ns = start_ns;
  std::barrier phase(shards, [&]() noexcept { now_ns += 50 * ms_ns; });
  std::vector<std::thread> threads;
  for (unsigned shard = 0; shard < shards; ++shard) {
    threads.emplace_back([&, shard] {
      Sessions sessions(accounts, terms, sum, shard);
      for (unsigned i = 0; i < phases; ++i) {
        for (int k = 0; k < 40; ++k) sessions.act(now_ns);
        phase.arrive_and_wait();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();

  const auto most = [&](Rate rate) { return rate.burst + rate.per_second * phases / 20; };
  for (const auto& units : sum.addresses) CHECK(units <= most(address));
  for (const auto& units : sum.networks) CHECK(units <= most(network));
  CHECK(sum.machine <= most(machine) + shards * terms.machine_slice_units);
  CHECK(sum.refused > 0);
  CHECK(accounts.addresses.connections() == 0);
  CHECK(accounts.networks.connections() == 0);
  CHECK(accounts.addresses.count_in_use(terms.address, now_ns + 1'000 * second_ns) == 0);
  CHECK(accounts.networks.count_in_use(terms.network, now_ns + 1'000 * second_ns) == 0);
}

TEST_CASE("shards together hold each address to its rate") { check_bounds({200, 100}, {9'000, 900}, {90'000, 9'000}); }

TEST_CASE("shards together hold each network to its rate") { check_bounds({2'000, 500}, {300, 200}, {90'000, 9'000}); }

TEST_CASE("shards together hold the machine to its rate and a slice each") {
  check_bounds({2'000, 500}, {9'000, 900}, {1'000, 400});
}

}  // namespace
}  // namespace ringwall::quota
