#include "load/crew.h"

#include <ringwall/ring/uring_backend.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <system_error>
#include <utility>

namespace ringwall::load {

namespace {

constexpr unsigned ring_entries = 4096;

}  // namespace

Crew::Crew(const Plan& plan, const RequestTexts& texts, const tls::ClientContext* tls)
    : plan_(plan), texts_(texts), tls_(tls) {
  course.calls_left.store(plan.calls_max);
  for (unsigned index = 0; index < workers(plan); ++index) told.push_back(std::make_unique<Told>());
}

std::uint64_t Crew::sum(std::atomic<std::uint64_t> Told::* what) const {
  std::uint64_t all = 0;
  for (const auto& one : told) all += ((*one).*what).load(std::memory_order_acquire);
  return all;
}

std::uint64_t Crew::max(std::atomic<std::uint64_t> Told::* what) const {
  std::uint64_t most = 0;
  for (const auto& one : told) most = std::max(most, ((*one).*what).load(std::memory_order_acquire));
  return most;
}

Result<void> Crew::start() {
  std::vector<std::future<Result<void>>> ready;
  Result<void> result;
  for (unsigned index = 0; index < workers(plan_); ++index) {
    std::promise<Result<void>> promise;
    std::promise<bool> over;
    ready.push_back(promise.get_future());
    over_.push_back(over.get_future());
    try {
      threads_.emplace_back(&Crew::work, this, index, std::move(promise), std::move(over));
    } catch (const std::system_error& error) {
      ready.pop_back();
      over_.pop_back();
      result = fail_no_thread(error.code().value());
      break;
    }
  }
  for (auto& one : ready) {
    Result<void> its = one.get();
    if (!its && result) result = std::move(its);
  }
  may_go_ = result.has_value();
  go_.count_down();
  if (!result) end();
  return result;
}

void Crew::work(unsigned index, std::promise<Result<void>> ready, std::promise<bool> over) {
  (void)prctl(PR_SET_TIMERSLACK, 1);  // a call that is due is not to wait for others'
  const auto refused = [&](Error error) {
    ready.set_value(std::unexpected(std::move(error)));
    over.set_value(true);
  };
  auto backend = ring::UringBackend::create(ring_entries);
  if (!backend) return refused(backend.error());
  Worker worker(**backend, plan_, texts_, course, items, tls_, *told[index], index);
  if (const int error = worker.error(); error != 0) return refused(fail_errno("io_uring buffer ring", error).error());
  ready.set_value({});
  go_.wait();
  const bool is_over = !may_go_ || worker.run();
  over.set_value(is_over);
  // What the kernel may still write to stays, and is not waited for: that is the process's exit's.
  if (is_over) return;
  for (;;) pause();
}

void Crew::stop() {
  if (course.end_ns.load() == never_ns) course.end_ns.store(0);
}

bool Crew::is_over() const {
  return std::ranges::all_of(over_, [](const std::future<bool>& one) {
    return one.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  });
}

void Crew::end() {
  stop();
  for (std::size_t index = 0; index < threads_.size(); ++index) {
    if (over_[index].get()) {
      threads_[index].join();
    } else {
      threads_[index].detach();
    }
  }
  threads_.clear();
  over_.clear();
}

Tick Crew::take_second(std::size_t second) {
  Tick all;
  for (const auto& one : told) {
    const std::lock_guard lock(one->mutex);
    // What a thread told too late for its own second counts to this one: none is lost.
    while (!one->seconds.empty() && one->seconds.begin()->first <= second) {
      const Tick& tick = one->seconds.begin()->second;
      all.answers += tick.answers;
      all.errors += tick.errors;
      all.latency.add(tick.latency);
      one->seconds.erase(one->seconds.begin());
    }
  }
  return all;
}

}  // namespace ringwall::load
