// ejection.h: whether a node gets no new clients for a while, since so many requests in a row to it have failed.
//
// One a node for the whole process, used by all shards without a lock: what is written for each request is nothing
// while all goes well, one count where one fails. It comes before anybody judges or tells of it: see Watch. Times are
// of CLOCK_MONOTONIC, in ns.
#pragma once

#include <atomic>
#include <cstdint>

namespace ringwall::upstream {

struct EjectionTerms {
  std::uint32_t failures = 0;       // requests in a row; 0: never
  std::uint32_t first_ms = 10'000;  // and up to a quarter more at random
  std::uint32_t most_ms = 300'000;  // twice as long each time that it follows soon, up to this
};

class Ejection {
 public:
  // By `spread` nodes that failed together come back apart.
  explicit Ejection(std::uint64_t spread) : spread_(spread) {}
  Ejection(const Ejection&) = delete;
  Ejection& operator=(const Ejection&) = delete;

  // A request failed. True: that ejects it, which is said to one of those who call at the same time.
  [[nodiscard]] bool failed(const EjectionTerms& terms, std::uint64_t now_ns);
  // A request was answered. True: it had been ejected, which that ends; said to one of them, too.
  [[nodiscard]] bool answered(const EjectionTerms& terms, std::uint64_t now_ns);

  [[nodiscard]] bool is_on(std::uint64_t now_ns) const { return until_ns() > now_ns; }
  [[nodiscard]] std::uint64_t until_ns() const { return until_ns_.load(std::memory_order_acquire); }
  // The last time, without what is random.
  [[nodiscard]] std::uint64_t length_ms() const { return length_ms_.load(std::memory_order_relaxed); }

 private:
  const std::uint64_t spread_;
  std::atomic<std::uint32_t> failures_in_row_ = 0;
  std::atomic<std::uint64_t> until_ns_ = 0;
  std::atomic<std::uint64_t> length_ms_ = 0;  // written by who has just moved until_ns_
};

}  // namespace ringwall::upstream
