// CPU per message of the relay without a kernel: see README.md.
//
// Time is the shard's own part of a message; CPU is all of it, with the backend and both peers. A call counts once, to
// its answer; of a fan-out each client's notification.
#include <benchmark/benchmark.h>

#include "stage.h"

#include <cstdlib>
#include <ctime>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace ringwall::bench;

double thread_cpu_s() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Google Benchmark calls a benchmark several times, with more iterations each time: connections are made once.
Stage& stage_for(const Scenario& scenario) {
  static std::unique_ptr<Stage> stage;
  if (!stage || stage->scenario() != scenario) {
    stage.reset();
    stage = std::make_unique<Stage>(scenario);
  }
  return *stage;
}

void relay(benchmark::State& state, const Scenario& scenario) {
  Stage& stage = stage_for(scenario);
  const bool is_fan_out = scenario.notification_bytes > 0;
  const std::size_t batch = is_fan_out ? scenario.connections : scenario.active * scenario.depth;
  Stage::Spent spent;
  const double cpu_before_s = thread_cpu_s();
  const std::uint64_t start = ticks();
  while (state.KeepRunningBatch(static_cast<benchmark::IterationCount>(batch))) {
    if (is_fan_out) stage.push_all();
    stage.run(batch, spent);
  }
  const std::uint64_t all_ticks = ticks() - start;
  const double cpu_s = thread_cpu_s() - cpu_before_s;
  // Ticks go on while another thread has the core, CPU time does not: that hits both parts alike, so the ticks give the
  // share and the thread's clock the amount.
  const double shard_s = cpu_s * static_cast<double>(spent.shard_ticks) / static_cast<double>(all_ticks);
  const auto messages = static_cast<double>(state.iterations());
  state.SetIterationTime(shard_s);
  state.counters["own_share"] = shard_s / cpu_s;
  state.counters["messages_a_turn"] = messages / static_cast<double>(spent.turns);
  state.SetBytesProcessed(state.iterations() *
                          static_cast<std::int64_t>(is_fan_out ? scenario.notification_bytes
                                                               : scenario.request_bytes + scenario.answer_bytes));
}

struct Row {
  const char* name;
  Scenario scenario;
};

std::vector<Row> rows() {
  constexpr std::size_t mib = 1 << 20;
  return {
      {"small/connections:1", {.connections = 1, .active = 1}},
      {"small/connections:50", {.connections = 50, .active = 50}},
      {"small/connections:9500", {.connections = 9'500, .active = 50}},
      {"small/connections:50/in_flight:16", {.connections = 50, .active = 50, .depth = 16}},
      {"answer_4KiB/connections:50", {.connections = 50, .active = 50, .answer_bytes = 4096}},
      {"answer_1MiB/connections:4", {.connections = 4, .active = 4, .answer_bytes = mib}},
      {"upload_1MiB/connections:4", {.connections = 4, .active = 4, .request_bytes = mib}},
      {"notification/clients:1000", {.connections = 1'000, .active = 1'000, .notification_bytes = 700}},
  };
}

// All of them, plain and over TLS, with the guard and as a tunnel. `calls` other than 0: exactly so many, for profiles.
void register_all(std::int64_t calls) {
  for (const Row& row : rows()) {
    for (const bool tls : {false, true}) {
      for (const bool tunnel : {false, true}) {
        Scenario scenario = row.scenario;
        scenario.tls = tls;
        scenario.tunnel = tunnel;
        const std::string name = std::string(row.name) + (tls ? "/tls" : "/plain") + (tunnel ? "/tunnel" : "/guard");
        auto* added = benchmark::RegisterBenchmark(name.c_str(), relay, scenario)->UseManualTime();
        if (calls > 0) added->Iterations(calls);
      }
    }
  }
}

}  // namespace

int main(int count, char** words) {
  constexpr std::string_view calls_option = "--calls=";
  std::int64_t calls = 0;
  std::vector<char*> left;
  for (int index = 0; index < count; ++index) {
    if (std::string_view(words[index]).starts_with(calls_option)) {
      calls = std::atoll(words[index] + calls_option.size());
    } else {
      left.push_back(words[index]);
    }
  }
  int left_count = static_cast<int>(left.size());
  register_all(calls);
  benchmark::Initialize(&left_count, left.data());
  if (benchmark::ReportUnrecognizedArguments(left_count, left.data())) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
