// counters.h: what a shard's sessions have done, counted on its thread.
#pragma once

#include <ringwall/metrics/histogram.h>
#include <ringwall/rpc/methods.h>
#include <ringwall/session/end_reason.h>
#include <ringwall/session/state.h>
#include <ringwall/tls/failure.h>
#include <ringwall/tls/keys.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace ringwall::session {

inline constexpr std::size_t states = static_cast<std::size_t>(State::ending) + 1;

// TLS handshakes of clients that have ended.
struct HandshakeCounters {
  static constexpr std::size_t versions = 2;
  static constexpr std::size_t ciphers = 3;

  // By tls::Version, tls::Cipher and whether a ticket was taken.
  std::array<std::array<std::array<std::uint64_t, 2>, ciphers>, versions> done{};
  std::array<std::uint64_t, static_cast<std::size_t>(tls::FailureReason::internal) + 1> failed{};
  EndCounters left{};  // the session ended for another reason in the middle of it
};

// Whole messages, and control frames.
struct MessageCounters {
  std::uint64_t data = 0;
  std::uint64_t pings = 0;
  std::uint64_t pongs = 0;
  std::uint64_t closes = 0;
};

struct SessionCounters {
  std::array<std::uint64_t, states> in_state{};  // now
  HandshakeCounters handshakes{};
  MessageCounters from_clients{};
  MessageCounters from_nodes{};
  std::array<metrics::Histogram, 3> call_duration{};  // by rpc::CostClass
};

// What became of a call.
enum class Verdict : std::uint8_t {
  forwarded,
  answered,  // rpc_methods, here
  unsafe_,   // denied, and so the next two
  not_offered,
  invalid,
  batch_refused,  // for the sake of another call in its batch
  over_limit,
};
inline constexpr std::size_t verdicts = static_cast<std::size_t>(Verdict::over_limit) + 1;
[[nodiscard]] std::string_view name(Verdict verdict);

// Calls by verdict and method: the known ones, and all others together.
class CallCounters {
 public:
  CallCounters() : counts_(verdicts * (rpc::known_methods().size() + 1)) {}

  void count(Verdict verdict, rpc::MethodIndex method) { ++counts_[place(verdict, method)]; }
  // `method` may be known_methods().size(): the others.
  [[nodiscard]] std::uint64_t count_of(Verdict verdict, std::size_t method) const {
    return counts_[place(verdict, method)];
  }
  void add(const CallCounters& other) {
    for (std::size_t index = 0; index < counts_.size(); ++index) counts_[index] += other.counts_[index];
  }
  [[nodiscard]] static std::size_t bytes_held() { return verdicts * (rpc::known_methods().size() + 1) * 8; }

 private:
  [[nodiscard]] std::size_t place(Verdict verdict, std::size_t method) const {
    const std::size_t columns = counts_.size() / verdicts;
    return static_cast<std::size_t>(verdict) * columns + (method < columns ? method : columns - 1);
  }

  std::vector<std::uint64_t> counts_;
};

}  // namespace ringwall::session
