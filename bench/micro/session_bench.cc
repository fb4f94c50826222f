// What it costs to know the node's answers: a receive buffer of them relayed, tapped, told apart, and each found among
// the calls in flight. And what a table of many calls costs a call.
//
// Each answer is checked once, after the clock has stopped.
#include <benchmark/benchmark.h>
#include <ringwall/rpc/answer.h>
#include <ringwall/rpc/method_table.h>
#include <ringwall/session/answer_reader.h>
#include <ringwall/session/call_table.h>
#include <ringwall/websocket/frame.h>
#include <ringwall/websocket/node_frames.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace ringwall;
using session::CallTable;
using websocket::NodeFrames;

constexpr std::size_t receive_buffer_bytes = 16 << 10;
constexpr HashSeed seed = {std::byte{1}, std::byte{2}};

std::string answer_of(std::size_t id, std::size_t bytes) {
  const std::string start = R"({"jsonrpc":"2.0","id":)" + std::to_string(1000 + id) + R"(,"result":"0x)";
  return start + std::string(bytes - start.size() - 2, 'a') + "\"}";
}

void append_message(std::vector<std::byte>& stream, std::string_view message) {
  std::array<std::byte, websocket::frame_header_bytes_max> header;
  const std::size_t header_bytes =
      websocket::write_frame_header(header, true, websocket::Opcode::text, message.size(), std::nullopt);
  const auto payload = std::as_bytes(std::span(message));
  stream.insert(stream.end(), header.begin(), header.begin() + static_cast<std::ptrdiff_t>(header_bytes));
  stream.insert(stream.end(), payload.begin(), payload.end());
}

struct Answers {
  explicit Answers(std::size_t bytes) {
    while (stream.size() + bytes + websocket::frame_header_bytes(bytes, false) <= receive_buffer_bytes) {
      append_message(stream, answer_of(count++, bytes));
    }
  }
  std::vector<std::byte> stream;
  std::size_t count = 0;
};

rpc::Call call_of(std::string_view id) {
  return {.form = rpc::Call::Form::call, .method = "system_health", .id = id, .params = "[]"};
}

// Looks at the ends of each message, and no further.
struct Ends final : websocket::MessageTap {
  void on_payload(std::span<const std::byte> piece, bool ends_message) override {
    reader.add(piece, ends_message, [this](std::string_view head, std::string_view tail) {
      ++messages;
      bytes += head.size() + tail.size();
    });
  }
  session::AnswerReader reader;
  std::size_t messages = 0;
  std::size_t bytes = 0;
};

struct Known final : websocket::MessageTap {
  void on_payload(std::span<const std::byte> piece, bool ends_message) override {
    reader.add(piece, ends_message, [this](std::string_view head, std::string_view tail) {
      ended += table.answer(rpc::classify_answer(head, tail), 1).calls;
    });
  }
  session::AnswerReader reader;
  CallTable table{seed};
  std::size_t ended = 0;
};

void count(benchmark::State& state, std::size_t bytes_a_turn, std::size_t items_a_turn) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes_a_turn));
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(items_a_turn));
}

void answers_relayed(benchmark::State& state) {
  const Answers answers(static_cast<std::size_t>(state.range(0)));
  NodeFrames frames;
  std::size_t relayed = 0;
  for (auto _ : state) {
    std::span<const std::byte> in = answers.stream;
    relayed = frames.next(in).bytes.size();
    benchmark::DoNotOptimize(relayed);
  }
  if (relayed != answers.stream.size()) return state.SkipWithError("wrong run");
  count(state, answers.stream.size(), answers.count);
}

void answers_tapped(benchmark::State& state) {
  const Answers answers(static_cast<std::size_t>(state.range(0)));
  NodeFrames frames;
  Ends ends;
  for (auto _ : state) {
    std::span<const std::byte> in = answers.stream;
    benchmark::DoNotOptimize(frames.next(in, false, &ends));
  }
  if (ends.messages != static_cast<std::size_t>(state.iterations()) * answers.count) {
    return state.SkipWithError("wrong messages");
  }
  count(state, answers.stream.size(), answers.count);
}

// Each turn the calls are added, too.
void answers_known(benchmark::State& state) {
  const Answers answers(static_cast<std::size_t>(state.range(0)));
  std::vector<std::string> ids;
  for (std::size_t id = 0; id < answers.count; ++id) ids.push_back(std::to_string(1000 + id));
  NodeFrames frames;
  Known known;
  for (auto _ : state) {
    for (const std::string& id : ids) known.table.add(call_of(id), {}, 100, 1);
    std::span<const std::byte> in = answers.stream;
    benchmark::DoNotOptimize(frames.next(in, false, &known));
  }
  if (known.table.calls() != 0 || known.ended != static_cast<std::size_t>(state.iterations()) * answers.count) {
    return state.SkipWithError("wrong calls");
  }
  count(state, answers.stream.size(), answers.count);
}

// One large message, in receive buffers.
void large_answer(benchmark::State& state) {
  std::vector<std::byte> stream;
  append_message(stream, answer_of(0, 1 << 20));
  NodeFrames frames;
  Ends ends;
  websocket::MessageTap* const tap = state.range(0) == 0 ? nullptr : &ends;
  for (auto _ : state) {
    for (std::span<const std::byte> rest = stream; !rest.empty();) {
      auto in = rest.first(std::min(rest.size(), receive_buffer_bytes));
      rest = rest.subspan(in.size());
      benchmark::DoNotOptimize(frames.next(in, false, tap));
    }
  }
  const auto messages = static_cast<std::size_t>(state.iterations());
  if (tap != nullptr && ends.bytes != messages * session::AnswerReader::kept_bytes_max) {
    return state.SkipWithError("wrong ends");
  }
  count(state, stream.size(), 1);
}

// A call is added and another answered, while so many are in flight.
void call_among(benchmark::State& state) {
  const auto in_flight = static_cast<std::size_t>(state.range(0));
  std::vector<std::string> ids;
  for (std::size_t id = 0; id <= in_flight; ++id) ids.push_back(std::to_string(1000 + id));
  CallTable table(seed);
  for (std::size_t id = 0; id < in_flight; ++id) table.add(call_of(ids[id]), {}, 100, 1);
  std::size_t next = in_flight, ended = 0;
  for (auto _ : state) {
    table.add(call_of(ids[next]), {}, 100, 1);
    next = next == in_flight ? 0 : next + 1;
    ended += table.answer({.kind = rpc::Answer::Kind::result, .id = ids[next]}, 1).calls;
  }
  if (ended != static_cast<std::size_t>(state.iterations())) return state.SkipWithError("wrong calls");
  state.SetItemsProcessed(state.iterations());
}

}  // namespace

BENCHMARK(answers_relayed)->Arg(100)->Arg(1000);
BENCHMARK(answers_tapped)->Arg(100)->Arg(1000)->Arg(4000);
BENCHMARK(answers_known)->Arg(100)->Arg(1000)->Arg(4000);
BENCHMARK(large_answer)->Arg(0)->Arg(1);
BENCHMARK(call_among)->Arg(0)->Arg(10)->Arg(1000)->Arg(4000);
