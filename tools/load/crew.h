// crew.h: the threads of a run, each with a Worker, and what they tell.
//
// Made, started and ended by run(), on its caller's thread. A thread whose connections could not be closed in a bounded
// time is left behind: the kernel may still write to what it holds.
#pragma once

#include <ringwall/error.h>
#include <ringwall/tls/client_context.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <future>
#include <latch>
#include <memory>
#include <thread>
#include <vector>

#include "load/course.h"
#include "load/item_table.h"
#include "load/plan.h"
#include "load/request_texts.h"
#include "load/worker.h"

namespace ringwall::load {

class Crew {
 public:
  // What is given outlives it; `tls` is null for plain connections.
  Crew(const Plan& plan, const RequestTexts& texts, const tls::ClientContext* tls);
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;
  ~Crew() { end(); }

  // All together, or none.
  [[nodiscard]] Result<void> start();
  // New work ends; what is in flight is waited for, where Course::at_once does not forbid it.
  void stop();
  // All have ended, or are left behind.
  [[nodiscard]] bool is_over() const;
  void end();  // stops, and waits until that is so

  // What a worker stored before the value that is found here is seen after it.
  [[nodiscard]] std::uint64_t sum(std::atomic<std::uint64_t> Told::* what) const;
  [[nodiscard]] std::uint64_t max(std::atomic<std::uint64_t> Told::* what) const;
  // What was told of this second of the measured time, and of earlier ones too late for them.
  [[nodiscard]] Tick take_second(std::size_t second);

  Course course;
  ItemTable items;
  std::vector<std::unique_ptr<Told>> told;

 private:
  void work(unsigned index, std::promise<Result<void>> ready, std::promise<bool> over);

  const Plan& plan_;
  const RequestTexts& texts_;
  const tls::ClientContext* tls_;
  std::latch go_{1};
  bool may_go_ = true;  // written before go_ is counted down
  std::vector<std::thread> threads_;
  std::vector<std::future<bool>> over_;  // of each thread; false: it is left behind
};

}  // namespace ringwall::load
