// What reading and filtering costs: a call from its text to its verdict, and simdjson's DOM on the same text beside it.
//
// Each answer is checked once, after the clock has stopped.
#include <benchmark/benchmark.h>
#include <ringwall/rpc/answer.h>
#include <ringwall/rpc/inspect.h>
#include <ringwall/rpc/method_table.h>
#include <simdjson.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace {

using namespace ringwall::rpc;

std::string call_of_bytes(std::size_t bytes) {
  const std::string start = R"({"jsonrpc":"2.0","id":4711,"method":"author_submitExtrinsic","params":["0x)";
  const std::string end = "\"]}";
  return start + std::string(bytes - start.size() - end.size(), 'a') + end;
}

std::string batch_of(std::size_t calls) {
  std::string batch = "[";
  for (std::size_t i = 0; i < calls; ++i) batch += (i == 0 ? "" : ",") + call_of_bytes(100);
  return batch + "]";
}

void count(benchmark::State& state, const std::string& text) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}

void inspect(benchmark::State& state, const std::string& text, std::size_t calls) {
  Inspector inspector({});
  std::size_t seen = 0;
  for (auto _ : state) {
    const auto read = inspector.inspect(text);
    seen = read ? read->calls.size() : 0;
    benchmark::DoNotOptimize(seen);
  }
  if (seen != calls) return state.SkipWithError("wrong calls");
  count(state, text);
}

void inspect_call(benchmark::State& state) {
  inspect(state, call_of_bytes(static_cast<std::size_t>(state.range(0))), 1);
}
void inspect_batch(benchmark::State& state) { inspect(state, batch_of(10), 10); }

// The least that the DOM does for a call: parsed, its method found. Copies the text, since it needs room behind it.
void dom_call(benchmark::State& state) {
  const std::string text = call_of_bytes(static_cast<std::size_t>(state.range(0)));
  simdjson::dom::parser parser;
  std::string_view method;
  for (auto _ : state) {
    simdjson::dom::element message;
    if (parser.parse(text).get(message) != simdjson::SUCCESS || message["method"].get(method) != simdjson::SUCCESS)
      break;
    benchmark::DoNotOptimize(method);
  }
  if (method != "author_submitExtrinsic") return state.SkipWithError("wrong method");
  count(state, text);
}

void inspect_and_decide(benchmark::State& state) {
  const std::string text = call_of_bytes(100);
  Inspector inspector({});
  const auto table = MethodTable::make({});
  Decision decision;
  for (auto _ : state) {
    const auto read = inspector.inspect(text);
    decision = table->decide(read->calls[0]);
    benchmark::DoNotOptimize(decision);
  }
  if (decision.verdict != Verdict::allowed || decision.cost_units != 20) return state.SkipWithError("wrong decision");
}

// Each known method in turn.
void decide(benchmark::State& state) {
  const auto table = MethodTable::make({.policy = Policy::all});
  std::size_t next = 0;
  std::size_t allowed = 0;
  for (auto _ : state) {
    const std::string_view name = known_methods()[next].name;
    allowed += table->decide({.form = Call::Form::call, .method = name, .id = "1", .params = "[]"}).verdict ==
               Verdict::allowed;
    next = next + 1 == known_methods().size() ? 0 : next + 1;
  }
  if (allowed != static_cast<std::size_t>(state.iterations())) return state.SkipWithError("wrong verdict");
}

void decide_unknown(benchmark::State& state) {
  const auto table = MethodTable::make({.allow = {"eth_*", "net_*", "web3_*"}, .deny = {"eth_sign*"}});
  Decision decision;
  for (auto _ : state) {
    decision = table->decide({.form = Call::Form::call, .method = "no_such_method", .id = "1", .params = "[]"});
    benchmark::DoNotOptimize(decision);
  }
  if (decision.verdict != Verdict::not_offered) return state.SkipWithError("wrong verdict");
}

void classify(benchmark::State& state, std::string_view head, std::string_view tail, Answer::Kind kind) {
  Answer answer;
  for (auto _ : state) {
    benchmark::DoNotOptimize(head);
    answer = classify_answer(head, tail);
    benchmark::DoNotOptimize(answer);
  }
  if (answer.kind != kind) return state.SkipWithError("wrong kind");
}

void classify_result(benchmark::State& state) {
  const std::string text = R"({"jsonrpc":"2.0","id":4711,"result":"0x)" + std::string(64, 'a') + "\"}";
  classify(state, text, {}, Answer::Kind::result);
}

void classify_large_result_id_last(benchmark::State& state) {
  const std::string text = R"({"jsonrpc":"2.0","result":"0x)" + std::string(1 << 20, 'a') + R"(","id":4711})";
  const std::string_view whole = text;
  classify(state, whole.substr(0, answer_head_bytes_max), whole.substr(whole.size() - answer_tail_bytes_max),
           Answer::Kind::result);
}

void classify_notification(benchmark::State& state) {
  const std::string text = R"({"jsonrpc":"2.0","method":"chain_newHead","params":{"subscription":"AbCdEfGhIjKlMnOp",)"
                           R"("result":{"parentHash":"0x)" +
                           std::string(600, 'a') + R"("}}})";
  classify(state, text, {}, Answer::Kind::notification);
}

}  // namespace

BENCHMARK(inspect_call)->Arg(100)->Arg(300)->Arg(1000)->Arg(1 << 20);
BENCHMARK(inspect_batch);
BENCHMARK(dom_call)->Arg(100)->Arg(300)->Arg(1000)->Arg(1 << 20);
BENCHMARK(inspect_and_decide);
BENCHMARK(decide);
BENCHMARK(decide_unknown);
BENCHMARK(classify_result);
BENCHMARK(classify_large_result_id_last);
BENCHMARK(classify_notification);
