// What the frame codec costs: the mask against memcpy, and messages from the receive buffer to the event.
//
// Each answer is checked once, after the clock has stopped.
#include <benchmark/benchmark.h>
#include <ringwall/websocket/client_messages.h>
#include <ringwall/websocket/frame.h>
#include <ringwall/websocket/mask.h>
#include <ringwall/websocket/node_frames.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <vector>

namespace {

using namespace ringwall::websocket;
using Bytes = std::vector<std::byte>;

constexpr MaskKey key = {std::byte{0x12}, std::byte{0x9F}, std::byte{0x5A}, std::byte{0xC7}};
constexpr std::size_t receive_buffer_bytes = 16 << 10;
constexpr std::uint32_t message_bytes_max = 16 << 20;

void append_frame(Bytes& stream, std::size_t payload_bytes, bool masked) {
  std::array<std::byte, frame_header_bytes_max> header;
  const std::size_t header_bytes =
      write_frame_header(header, true, Opcode::text, payload_bytes, masked ? std::optional(key) : std::nullopt);
  stream.insert(stream.end(), header.begin(), header.begin() + static_cast<std::ptrdiff_t>(header_bytes));
  const std::size_t start = stream.size();
  stream.resize(start + payload_bytes, std::byte{'x'});
  if (masked) apply_mask(std::span(stream).subspan(start), key, 0);
}

// As many frames as a receive buffer holds.
Bytes full_buffer(std::size_t payload_bytes, bool masked) {
  Bytes stream;
  const std::size_t frame_bytes = payload_bytes + frame_header_bytes(payload_bytes, masked);
  while (stream.size() + frame_bytes <= receive_buffer_bytes) append_frame(stream, payload_bytes, masked);
  return stream;
}

void count(benchmark::State& state, std::size_t bytes_a_turn, std::size_t items_a_turn) {
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes_a_turn));
  if (items_a_turn != 0) state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(items_a_turn));
}

// Of small calls, of a receive buffer, of large calls, of the largest message.
void sizes(benchmark::internal::Benchmark* benchmark) {
  for (const int bytes : {60, 64, 1 << 10, 16 << 10, 64 << 10, 1 << 20, 16 << 20}) benchmark->Arg(bytes);
}

void copy_with_memcpy(benchmark::State& state) {
  const Bytes source(static_cast<std::size_t>(state.range(0)), std::byte{'x'});
  Bytes target(source.size());
  for (auto _ : state) {
    std::memcpy(target.data(), source.data(), source.size());
    benchmark::DoNotOptimize(target.data());
    benchmark::ClobberMemory();
  }
  count(state, source.size(), 0);
}

void copy_with_mask(benchmark::State& state) {
  const Bytes source(static_cast<std::size_t>(state.range(0)), std::byte{'x'});
  Bytes target(source.size());
  for (auto _ : state) {
    apply_mask(target, source, key, 1);
    benchmark::DoNotOptimize(target.data());
    benchmark::ClobberMemory();
  }
  for (std::size_t i = 0; i < target.size(); ++i) {
    if (target[i] != (std::byte{'x'} ^ key[(i + 1) % 4])) return state.SkipWithError("wrong mask");
  }
  count(state, source.size(), 0);
}

void mask_in_place(benchmark::State& state) {
  Bytes data(static_cast<std::size_t>(state.range(0)), std::byte{'x'});
  for (auto _ : state) {
    apply_mask(data, key, 1);
    benchmark::DoNotOptimize(data.data());
    benchmark::ClobberMemory();
  }
  count(state, data.size(), 0);
}

// A receive buffer full of small calls, each whole: unmasked for inspection, checked for UTF-8, forwarded in place.
void client_messages_in_place(benchmark::State& state) {
  const auto payload_bytes = static_cast<std::size_t>(state.range(0));
  const Bytes stream = full_buffer(payload_bytes, true);
  Bytes scratch(receive_buffer_bytes);
  ClientMessages messages(message_bytes_max);
  std::size_t seen = 0;
  for (auto _ : state) {
    std::span<const std::byte> in = stream;
    seen = 0;
    while (messages.next(in, scratch).kind == ClientMessages::Event::Kind::message) ++seen;
  }
  const std::size_t expected = stream.size() / (payload_bytes + frame_header_bytes(payload_bytes, true));
  if (seen != expected || (payload_bytes != 0 && scratch[0] != std::byte{'x'}))
    return state.SkipWithError("wrong messages");
  count(state, stream.size(), seen);
}

// One message that takes many receive buffers: unmasked into its assembly, checked, masked again.
void client_message_assembled(benchmark::State& state) {
  Bytes stream;
  append_frame(stream, static_cast<std::size_t>(state.range(0)), true);
  Bytes scratch(receive_buffer_bytes);
  ClientMessages messages(message_bytes_max);
  bool same = true;
  for (auto _ : state) {
    for (std::span<const std::byte> rest = stream; !rest.empty();) {
      auto in = rest.first(std::min(rest.size(), receive_buffer_bytes));
      rest = rest.subspan(in.size());
      auto event = messages.next(in, scratch);
      while (event.kind == ClientMessages::Event::Kind::need_memory && messages.grow(event.bytes_wanted)) {
        event = messages.next(in, scratch);
      }
    }
    const OwnedFrame frame = messages.take_frame();
    same = same && frame.bytes().size() == stream.size() && frame.bytes().back() == stream.back();
  }
  if (!same) return state.SkipWithError("wrong frame");
  count(state, stream.size(), 1);
}

// A receive buffer full of the node's answers, relayed as one run.
void node_frames_relayed(benchmark::State& state) {
  const auto payload_bytes = static_cast<std::size_t>(state.range(0));
  const Bytes stream = full_buffer(payload_bytes, false);
  NodeFrames frames;
  std::size_t relayed = 0;
  for (auto _ : state) {
    std::span<const std::byte> in = stream;
    relayed = frames.next(in).bytes.size();
    benchmark::DoNotOptimize(relayed);
  }
  if (relayed != stream.size()) return state.SkipWithError("wrong run");
  count(state, stream.size(), stream.size() / (payload_bytes + frame_header_bytes(payload_bytes, false)));
}

}  // namespace

BENCHMARK(copy_with_memcpy)->Apply(sizes);
BENCHMARK(copy_with_mask)->Apply(sizes);
BENCHMARK(mask_in_place)->Apply(sizes);
BENCHMARK(client_messages_in_place)->Arg(0)->Arg(100)->Arg(1000)->Arg(16000);
BENCHMARK(client_message_assembled)->Arg(64 << 10)->Arg(1 << 20)->Arg(15 << 20);
BENCHMARK(node_frames_relayed)->Arg(100)->Arg(1000)->Arg(16000);
