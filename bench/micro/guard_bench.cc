// What the guard costs: a message from its text to its ruling, read, looked up and charged to its connection, address,
// network and the machine. A client of IPv6, so that there is a network.
//
// Each ruling is checked as it is made, and the counters once, after the clock has stopped.
#include <benchmark/benchmark.h>
#include <ringwall/session/guard.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace ringwall;
using session::Guard;
using session::Rules;

constexpr std::uint64_t start_ns = 1'000'000'000'000;
constexpr std::uint64_t call_ns = 10'000;  // of the clock, from one message to the next
// Addresses, each with a network and a connection: 6 MB, more than fit the first two caches, and 370 MB, more than any.
constexpr std::size_t many = 1U << 15;
constexpr std::size_t very_many = 1U << 21;

std::string submit_of_bytes(std::size_t bytes) {
  const std::string start = R"({"jsonrpc":"2.0","id":4711,"method":"author_submitExtrinsic","params":["0x)";
  const std::string end = "\"]}";
  return start + std::string(bytes - start.size() - end.size(), 'a') + end;
}

std::string batch_of(std::size_t calls) {
  std::string batch = "[";
  for (std::size_t i = 0; i < calls; ++i) batch += (i == 0 ? "" : ",") + submit_of_bytes(100);
  return batch + "]";
}

// What a wallet asks, of 65 to 105 bytes, in an order that is hard to predict.
std::vector<std::string> various_calls() {
  const std::string hash = "\"0x" + std::string(32, 'b') + "\"";
  const std::string methods[][2] = {{"chain_getHeader", hash},      {"chain_getBlockHash", "1234567"},
                                    {"state_getMetadata", hash},    {"state_getStorage", hash},
                                    {"system_health", ""},          {"state_call", "\"Core_version\",\"0x\""},
                                    {"payment_queryInfo", hash},    {"system_accountNextIndex", hash},
                                    {"chain_getFinalizedHead", ""}, {"state_getRuntimeVersion", hash}};
  std::vector<std::string> calls;
  std::uint32_t random = 1;
  for (std::size_t i = 0; i < 1024; ++i) {
    random = random * 1'664'525 + 1'013'904'223;
    const auto& [method, params] = methods[(random >> 16) % std::size(methods)];
    calls.push_back(R"({"jsonrpc":"2.0","id":)" + std::to_string(random >> (random >> 28)) + R"(,"method":")" + method +
                    R"(","params":[)" + params + "]}");
  }
  return calls;
}

// The default rates, with bursts that do not run out: what is charged is computed with, and nothing is refused.
config::Config wide_config(std::uint32_t entries) {
  config::Config config;
  config::Limits& limits = config.limits;
  limits.address_units_burst = limits.network_units_burst = quota::burst_units_max;
  limits.connection_units_burst = limits.machine_units_burst = quota::burst_units_max;
  limits.address_entries = limits.network_entries = entries;
  return config;
}

// The server's part, made anew for each benchmark.
struct Server {
  explicit Server(std::uint32_t entries) : config(wide_config(entries)) {}

  config::Config config;
  Rules rules{config, {}, start_ns};
};
std::unique_ptr<Server> server;

void set_up(const benchmark::State&) { server = std::make_unique<Server>(1U << 16); }
void set_up_for_many(const benchmark::State& state) {
  server = std::make_unique<Server>(4 * std::max<std::uint32_t>(many, static_cast<std::uint32_t>(state.range(0))));
}
void tear_down(const benchmark::State&) { server.reset(); }

// Each number is another /48.
quota::AddressBytes address_of(std::size_t number) {
  quota::AddressBytes address{0x20, 0x01};
  for (std::size_t i = 0; i < 4; ++i) address[2 + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
  return address;
}

// Messages and clients in turn, one of each a turn. All calls are answered before the next message.
void judge(benchmark::State& state, const std::vector<std::string>& texts, std::uint32_t calls, std::size_t clients) {
  Guard guard(server->rules, server->config);
  std::vector<quota::Connection> connections(clients);
  std::uint64_t now_ns = start_ns;
  for (std::size_t i = 0; i < clients; ++i) {
    if (!guard.admission.open(connections[i], guard.admission.client(address_of(i), now_ns), now_ns).given) {
      return state.SkipWithError("not opened");
    }
  }
  std::size_t text = 0, client = 0;
  std::int64_t forwarded = 0;
  for (auto _ : state) {
    now_ns += call_ns;
    quota::Connection& connection = connections[client];
    const session::Ruling ruling = guard.judge(texts[text], {connection}, true, now_ns);
    forwarded += ruling.kind == session::Ruling::Kind::forward && connection.calls_in_flight() == calls ? 1 : 0;
    guard.admission.answered(connection, connection.calls_in_flight());
    text = text + 1 == texts.size() ? 0 : text + 1;
    client = (client + 12'345) & (clients - 1);
  }
  const auto called = static_cast<std::uint64_t>(state.iterations()) * calls;
  const quota::Counters& charged = guard.admission.counters();
  if (forwarded != state.iterations() || guard.counters.calls != called) return state.SkipWithError("refused");
  if (charged.calls_given != called || charged.units_given < called) return state.SkipWithError("not charged");
  state.SetItemsProcessed(state.iterations() * calls);
}

void judge_call(benchmark::State& state) { judge(state, {submit_of_bytes(100)}, 1, 1); }
void judge_various_calls(benchmark::State& state) { judge(state, various_calls(), 1, 1); }
void judge_call_of_many(benchmark::State& state) {
  judge(state, {submit_of_bytes(100)}, 1, static_cast<std::size_t>(state.range(0)));
}
void judge_batch(benchmark::State& state) { judge(state, {batch_of(10)}, 10, 1); }
void judge_large_call(benchmark::State& state) {
  judge(state, {submit_of_bytes(1 << 20)}, 1, 1);
  state.SetBytesProcessed(state.iterations() << 20);
}

// By POST through a trusted proxy: the client is looked up for this one call. `range`: of how many, in turn.
void judge_call_of_proxied(benchmark::State& state) {
  const std::string text = submit_of_bytes(100);
  const auto clients = static_cast<std::size_t>(state.range(0));
  Guard guard(server->rules, server->config);
  quota::Connection proxy;
  std::uint64_t now_ns = start_ns;
  std::size_t number = 0;
  std::int64_t forwarded = 0;
  for (auto _ : state) {
    now_ns += call_ns;
    quota::Client client = guard.admission.client(address_of(number), now_ns);
    forwarded += guard.judge(text, {proxy, &client}, false, now_ns).kind == session::Ruling::Kind::forward ? 1 : 0;
    number = (number + 12'345) & (clients - 1);
  }
  if (forwarded != state.iterations() || guard.admission.counters().overflow_clients != 0) {
    return state.SkipWithError("refused");
  }
}

}  // namespace

// With two threads: a connection each of one address, as two shards have it.
BENCHMARK(judge_call)->Setup(set_up)->Teardown(tear_down)->ThreadRange(1, 2)->UseRealTime();
BENCHMARK(judge_various_calls)->Setup(set_up)->Teardown(tear_down);
// A number of turns that needs no trial: to open so many connections takes seconds.
BENCHMARK(judge_call_of_many)
    ->Arg(many)
    ->Arg(very_many)
    ->Iterations(1 << 20)
    ->Setup(set_up_for_many)
    ->Teardown(tear_down);
BENCHMARK(judge_call_of_proxied)->Arg(1)->Arg(many)->Setup(set_up_for_many)->Teardown(tear_down);
BENCHMARK(judge_batch)->Setup(set_up)->Teardown(tear_down);
BENCHMARK(judge_large_call)->Setup(set_up)->Teardown(tear_down);
