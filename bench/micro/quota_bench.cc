// What charging costs: a call of an open connection, a client that comes and goes, from one thread and from two.
//
// Each answer is checked once, after the clock has stopped.
#include <benchmark/benchmark.h>
#include <ringwall/quota/admission.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace {

using namespace ringwall::quota;

constexpr std::uint64_t start_ns = 1'000'000'000'000;
constexpr std::uint64_t call_ns = 10'000;         // of the clock, from one call to the next
constexpr std::size_t addresses = 1U << 15;       // more than fit the first two caches
constexpr std::size_t many_addresses = 1U << 22;  // more than fit any: 450 MB of them with their connections

// Rates that are counted with and not reached.
Limits wide_limits() {
  constexpr Rate wide{9'000'000, 1'000'000'000};
  Limits limits = lifted({});
  limits.address.units = limits.network.units = limits.connection.units = limits.machine_units = wide;
  limits.address.new_connections = limits.network.new_connections = wide;
  return limits;
}

AddressBytes address_of(std::size_t number, bool ipv6) {
  AddressBytes address =
      ipv6 ? AddressBytes{0x20, 0x01, 0x0D, 0xB8} : AddressBytes{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF, 10};
  const std::size_t at = ipv6 ? 5 : 13;
  for (std::size_t i = 0; i < 3; ++i) address[at + i] = static_cast<std::uint8_t>(number >> (16 - 8 * i));
  return address;
}

// The server's part, made anew by the first thread of each benchmark.
struct Server {
  explicit Server(const Layout& layout = {}) : accounts({}, layout) {}

  Accounts accounts;
  Terms terms = first_terms(wide_limits(), start_ns);
};
std::unique_ptr<Server> server;

void set_up(const benchmark::State&) { server = std::make_unique<Server>(); }
void set_up_for_many(const benchmark::State& state) {
  server = std::make_unique<Server>(Layout{.address_entries = 4 * static_cast<std::uint32_t>(state.range(0))});
}
void tear_down(const benchmark::State&) { server.reset(); }

// The same connection calls again and again. With two threads: another connection of the same address.
void charge_hot(benchmark::State& state) {
  const bool ipv6 = state.range(0) == 6;
  Admission admission(server->accounts, server->terms);
  Connection connection;
  std::uint64_t now_ns = start_ns;
  if (!admission.open(connection, admission.client(address_of(1, ipv6), now_ns), now_ns).given) {
    return state.SkipWithError("not opened");
  }
  for (auto _ : state) {
    now_ns += call_ns;
    benchmark::DoNotOptimize(admission.charge(connection, {.units = 5, .answers = 0}, now_ns));
  }
  if (admission.counters().requests_given != static_cast<std::uint64_t>(state.iterations())) {
    state.SkipWithError("refused");
  }
}

// Connections of many addresses call in turn. With two threads: another connection of each address.
void charge_each_of_many(benchmark::State& state) {
  Admission admission(server->accounts, server->terms);
  const auto count = static_cast<std::size_t>(state.range(0));
  std::vector<Connection> connections(count);
  std::uint64_t now_ns = start_ns;
  for (std::size_t i = 0; i < count; ++i) {
    (void)admission.open(connections[i], admission.client(address_of(i, false), now_ns), now_ns);
  }
  std::size_t next = 0;
  for (auto _ : state) {
    now_ns += call_ns;
    next = (next + 12'345) & (count - 1);
    benchmark::DoNotOptimize(admission.charge(connections[next], {.units = 5, .answers = 0}, now_ns));
  }
  if (admission.counters().requests_given != static_cast<std::uint64_t>(state.iterations())) {
    state.SkipWithError("refused");
  }
}

// A POST of a client that is not the connection's: looked up, charged, let go. `range`: of how many addresses, in turn.
void look_up_and_charge(benchmark::State& state) {
  Admission admission(server->accounts, server->terms);
  const auto count = static_cast<std::size_t>(state.range(0));
  std::uint64_t now_ns = start_ns;
  std::size_t next = 0;
  for (auto _ : state) {
    now_ns += call_ns;
    next = (next + 12'345) % count;
    Client client = admission.client(address_of(next, false), now_ns);
    benchmark::DoNotOptimize(admission.charge(client, {.units = 5}, now_ns));
  }
  if (admission.counters().requests_given != static_cast<std::uint64_t>(state.iterations())) {
    state.SkipWithError("refused");
  }
}

// Each address is new, and takes the entry of one that is idle.
void open_and_close(benchmark::State& state) {
  Admission admission(server->accounts, server->terms);
  std::uint64_t now_ns = start_ns;
  std::size_t number = static_cast<std::size_t>(state.thread_index()) << 22;
  for (auto _ : state) {
    now_ns += 10 * call_ns;
    Connection connection;
    benchmark::DoNotOptimize(admission.open(connection, admission.client(address_of(++number, true), now_ns), now_ns));
  }
  if (admission.counters().connections_given != static_cast<std::uint64_t>(state.iterations())) {
    state.SkipWithError("refused");
  }
}

// A flood that is refused.
void refuse(benchmark::State& state) {
  Limits limits = wide_limits();
  limits.address.units = {1, 100};
  Admission admission(server->accounts, first_terms(limits, start_ns));
  Connection connection;
  (void)admission.open(connection, admission.client(address_of(1, false), start_ns), start_ns);
  (void)admission.charge(connection, {.units = 100, .answers = 0}, start_ns);
  for (auto _ : state) {
    benchmark::DoNotOptimize(admission.charge(connection, {.units = 5, .answers = 0}, start_ns));
  }
  if (admission.counters().refused_for(Reason::address_units) != static_cast<std::uint64_t>(state.iterations())) {
    state.SkipWithError("given");
  }
}

}  // namespace

BENCHMARK(charge_hot)->Arg(4)->Arg(6)->Setup(set_up)->Teardown(tear_down)->ThreadRange(1, 2)->UseRealTime();
// A number of turns that needs no trial: to open so many connections takes seconds.
BENCHMARK(charge_each_of_many)
    ->Arg(addresses)
    ->Arg(many_addresses)
    ->Setup(set_up_for_many)
    ->Teardown(tear_down)
    ->Iterations(1 << 20)
    ->ThreadRange(1, 2)
    ->UseRealTime();
BENCHMARK(look_up_and_charge)
    ->Arg(1)
    ->Arg(addresses)
    ->Setup(set_up)
    ->Teardown(tear_down)
    ->ThreadRange(1, 2)
    ->UseRealTime();
BENCHMARK(open_and_close)->Setup(set_up)->Teardown(tear_down)->ThreadRange(1, 2)->UseRealTime();
BENCHMARK(refuse)->Setup(set_up)->Teardown(tear_down);
