// rounds.h: threads that ask nodes, each its own node again and again.
//
// A silent node costs no other its answer. The end waits for no node: what waits ends when `stop_event` is readable.
#pragma once

#include <ringwall/error.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace ringwall::upstream {

// Whether it is time to stop, now or within so long.
[[nodiscard]] bool stops_within(int stop_event, std::uint32_t wait_ms);

class Rounds {
 public:
  // One round, on a thread of its own: returns in how many ms the next one is due. What it uses outlives the Rounds.
  using Round = std::function<std::uint32_t(int stop_event)>;

  // Each is called at once. Fails when no eventfd or thread can be had.
  [[nodiscard]] static Result<std::unique_ptr<Rounds>> start(std::vector<Round> rounds);
  Rounds(const Rounds&) = delete;
  Rounds& operator=(const Rounds&) = delete;
  ~Rounds();

 private:
  explicit Rounds(int stop_event) : stop_event_(stop_event) {}

  const int stop_event_;  // readable from the end on
  std::vector<std::thread> threads_;
};

}  // namespace ringwall::upstream
