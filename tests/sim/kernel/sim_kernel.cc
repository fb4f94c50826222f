// The queues, and what one enter does: take entries, let time pass, post completions.
#include "sim/kernel/sim_kernel.h"

#include <ringwall/check.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

namespace ringwall::sim {

namespace {

unsigned load_acquire(unsigned& word) { return std::atomic_ref(word).load(std::memory_order_acquire); }
void store_release(unsigned& word, unsigned value) { std::atomic_ref(word).store(value, std::memory_order_release); }

constexpr std::uint64_t enter_cost_ns_max = 3 * microsecond;
constexpr std::uint64_t wake_up_ns_max = 200 * microsecond;

}  // namespace

SimKernel::SimKernel(World& world, const KernelSettings& settings)
    : world_(world),
      settings_(settings),
      submissions_(settings.submission_entries),
      submission_array_(settings.submission_entries),
      completions_(settings.completion_entries),
      retries_when_empty_(world.random().below(2) == 0) {
  RINGWALL_CHECK(std::has_single_bit(settings.submission_entries) && std::has_single_bit(settings.completion_entries));
  io_uring_sq& sq = queues_.sq;
  sq.khead = &submission_words_.head;
  sq.ktail = &submission_words_.tail;
  sq.kflags = &submission_words_.flags;
  sq.kdropped = &submission_words_.dropped;
  sq.array = submission_array_.data();
  sq.sqes = submissions_.data();
  sq.ring_entries = settings.submission_entries;
  sq.ring_mask = settings.submission_entries - 1;
  io_uring_cq& cq = queues_.cq;
  cq.khead = &completion_words_.head;
  cq.ktail = &completion_words_.tail;
  cq.kflags = &completion_words_.flags;
  cq.koverflow = &completion_words_.dropped;
  cq.cqes = completions_.data();
  cq.ring_entries = settings.completion_entries;
  cq.ring_mask = settings.completion_entries - 1;
  queues_.ring_fd = -1;
}

// As when a ring's descriptor is closed: what is in flight is cancelled and nothing more is written.
SimKernel::~SimKernel() {
  alive_.reset();
  for (auto& file : files_) file.reset();
  std::vector<Request*> left;
  for (const auto& [user_data, request] : requests_) left.push_back(request.get());
  std::ranges::sort(left, {}, &Request::number);
  for (Request* request : left) request->file.reset();
}

int SimKernel::enter(unsigned submit, unsigned wait_for, std::uint64_t timeout_ns) {
  RINGWALL_CHECK(!in_enter_);
  in_enter_ = true;
  const int result = run_enter(submit, wait_for, timeout_ns);
  in_enter_ = false;
  return result;
}

int SimKernel::run_enter(unsigned submit, unsigned wait_for, std::uint64_t timeout_ns) {
  Random& random = world_.random();
  world_.count_enter();
  room_ = settings_.completion_entries;
  if (random.chance(world_.faults().completions_held)) {
    room_ = std::min(room_, completions_ready() + 1 + static_cast<unsigned>(random.below(4)));
  }
  world_.events().run_until(now_ns() + random.between(100, enter_cost_ns_max));
  world_.check_bounds();
  for (auto& [id, group] : groups_) group.refresh();

  const unsigned queued = load_acquire(submission_words_.tail) - submission_words_.head;
  if (queued > settings_.submission_entries) world_.fail("the submission queue's tail overtook its head");
  submit = are_entries_held_ ? 0 : std::min(submit, queued);
  if (random.chance(world_.faults().enter_refused)) {
    if (const int result = refuse(submit, wait_for); result != 0) return result;
  }
  take_entries(submit);
  const bool in_time = wait_for_completions(wait_for, timeout_ns);
  return submit > 0 || in_time ? static_cast<int>(submit) : -ETIME;
}

// An error, the number of entries taken when it is not all of them, or 0: it goes on after all.
int SimKernel::refuse(unsigned submit, unsigned wait_for) {
  const std::uint64_t drawn = world_.random().below(3);
  if (submit > 1 && drawn == 0) {
    const auto some = static_cast<unsigned>(world_.random().between(1, submit - 1));
    take_entries(some);
    return static_cast<int>(some);
  }
  if (submit > 0) return drawn == 1 ? -EBUSY : -EAGAIN;
  if (wait_for == 0) return 0;
  return drawn == 1 ? -EBUSY : -EINTR;
}

void SimKernel::take_entries(unsigned count) {
  for (; count > 0; --count) {
    const unsigned index = submission_array_[submission_words_.head & (settings_.submission_entries - 1)];
    if (index >= settings_.submission_entries) world_.fail("the submission array names an entry that is not there");
    const io_uring_sqe entry = submissions_[index];
    // What is written into an entry after this comes too late.
    std::memset(&submissions_[index], 0xa5, sizeof entry);
    store_release(submission_words_.head, submission_words_.head + 1);
    this->submit(entry);
  }
}

// Returns false when the time was over first.
bool SimKernel::wait_for_completions(unsigned wait_for, std::uint64_t timeout_ns) {
  EventQueue& events = world_.events();
  flush_overflow();
  for (const auto& action : std::exchange(task_work_, {})) action();
  events.run_until(now_ns());
  wait_for = std::min(wait_for, settings_.completion_entries);
  if (completions_ready() >= wait_for) return true;

  const std::uint64_t deadline = timeout_ns < EventQueue::never - now_ns() ? now_ns() + timeout_ns : EventQueue::never;
  while (completions_ready() < std::min(wait_for, room_)) {
    if (events.next_ns() == EventQueue::never && deadline == EventQueue::never) {
      world_.fail("the program waits for ever and nothing is going to happen");
    }
    if (events.next_ns() > deadline) {
      events.run_until(deadline);
      world_.check_bounds();
      return false;
    }
    events.run_next();
    world_.check_bounds();
  }
  // A thread does not run the moment it is woken: what happens meanwhile is in the same batch.
  events.run_until(now_ns() + world_.random().skewed(0, wake_up_ns_max));
  return true;
}

unsigned SimKernel::completions_ready() const {
  return completion_words_.tail - std::atomic_ref(*queues_.cq.khead).load(std::memory_order_acquire);
}

bool SimKernel::has_room() const { return overflow_.empty() && completions_ready() < room_; }

// Once one completion did not fit, those after it wait behind it, so that order holds.
void SimKernel::post(std::uint64_t user_data, int result, std::uint32_t flags) {
  io_uring_cqe entry{};
  entry.user_data = user_data;
  entry.res = result;
  entry.flags = flags;
  if (!has_room()) {
    overflow_.push_back(entry);
    submission_words_.flags |= IORING_SQ_CQ_OVERFLOW;
    return;
  }
  completions_[completion_words_.tail & (settings_.completion_entries - 1)] = entry;
  store_release(completion_words_.tail, completion_words_.tail + 1);
}

void SimKernel::flush_overflow() {
  while (!overflow_.empty() && completions_ready() < room_) {
    completions_[completion_words_.tail & (settings_.completion_entries - 1)] = overflow_.front();
    store_release(completion_words_.tail, completion_words_.tail + 1);
    overflow_.pop_front();
  }
  if (overflow_.empty()) submission_words_.flags &= ~IORING_SQ_CQ_OVERFLOW;
}

// Completions run on the submitter's own thread, in its enter: what comes between two enters waits for the next.
void SimKernel::run_later(std::uint64_t delay_ns, std::function<void()> action) {
  const std::weak_ptr<char> alive = alive_;
  world_.events().after(delay_ns, [this, alive, action = std::move(action)] {
    if (alive.expired()) return;
    if (in_enter_) {
      action();
    } else {
      task_work_.push_back(action);
    }
  });
}

int SimKernel::register_buffer_ring(io_uring_buf_reg& registration) {
  if (!std::has_single_bit(registration.ring_entries) || registration.ring_entries > 32768) return -EINVAL;
  if (registration.ring_addr == 0 || registration.ring_addr % 4096 != 0) return -EFAULT;
  const bool is_new = groups_.try_emplace(registration.bgid, world_, registration).second;
  return is_new ? 0 : -EEXIST;
}

unsigned SimKernel::buffers_held() {
  unsigned held = 0;
  for (auto& [id, group] : groups_) {
    group.refresh();
    held += group.held();
  }
  return held;
}

}  // namespace ringwall::sim
