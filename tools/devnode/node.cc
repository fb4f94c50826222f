#include "devnode/node.h"

#include <ringwall/check.h>
#include <ringwall/connection/owned_slice.h>

#include <sys/random.h>

#include <array>
#include <chrono>
#include <memory>
#include <utility>

namespace ringwall::devnode {

namespace {

constexpr std::size_t fill_bytes = std::size_t{1} << 20;

std::uint64_t unix_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

ring::Slice make_fill() {
  auto text = std::make_unique<std::string>(fill_bytes, 'x');
  const auto bytes = std::as_writable_bytes(std::span(*text));
  return connection::make_owned_slice(std::move(text), bytes);
}

}  // namespace

Node::Node(const Options& options_in, Runtime runtime_in, ring::TimerWheel& timers_in)
    : options(options_in),
      runtime(std::move(runtime_in)),
      timers(timers_in),
      chain(options.finality_lag),
      storage(unix_ms(), options.block_ms),
      fill(make_fill()) {}

std::uint64_t monotonic_ns() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

std::string random_subscription_id() {
  constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::array<unsigned char, 16> random;
  RINGWALL_CHECK(getrandom(random.data(), random.size(), 0) == static_cast<ssize_t>(random.size()));
  std::string id;
  for (const unsigned char value : random) id += letters[value % letters.size()];
  return id;
}

}  // namespace ringwall::devnode
