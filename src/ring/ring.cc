#include <ringwall/ring/ring.h>

#include <algorithm>
#include <atomic>

namespace ringwall::ring {

namespace {

unsigned load_acquire(unsigned* word) { return std::atomic_ref(*word).load(std::memory_order_acquire); }
void store_release(unsigned* word, unsigned value) { std::atomic_ref(*word).store(value, std::memory_order_release); }

}  // namespace

Ring::Ring(Backend& backend) : backend_(backend), timers_(backend.now_ns()), now_ns_(backend.now_ns()) {
  io_uring_sq& sq = backend_.queues().sq;
  // Newer libraries ask for a ring without the array where the kernel has such (IORING_SETUP_NO_SQARRAY, 6.6).
  for (unsigned index = 0; sq.array != nullptr && index < sq.ring_entries; ++index) sq.array[index] = index;
  tail_ = load_acquire(sq.ktail);
}

Ring::~Ring() { RINGWALL_CHECK(in_flight_ == 0); }

io_uring_sqe* Ring::next_entry() {
  io_uring_sq& sq = backend_.queues().sq;
  if (tail_ - load_acquire(sq.khead) == sq.ring_entries) return nullptr;
  return &sq.sqes[tail_++ & sq.ring_mask];
}

io_uring_sqe& Ring::prepare(Operation& operation) {
  RINGWALL_CHECK(!operation.in_flight_);
  operation.in_flight_ = true;
  operation.cancelled_ = false;
  ++in_flight_;
  io_uring_sqe* entry = spill_.empty() ? next_entry() : nullptr;
  if (entry == nullptr && spill_.empty()) {
    enter(0, 0);
    entry = next_entry();
  }
  if (entry == nullptr) {
    ++counters_.spilled;
    entry = &spill_.emplace_back();
  }
  *entry = {};
  entry->user_data = reinterpret_cast<std::uintptr_t>(&operation);
  return *entry;
}

void Ring::cancel(Operation& target, Operation& canceller) {
  RINGWALL_CHECK(target.in_flight_);
  target.cancelled_ = true;
  io_uring_prep_cancel64(&prepare(canceller), reinterpret_cast<std::uintptr_t>(&target), 0);
}

void Ring::drain_spill() {
  std::size_t moved = 0;
  while (moved < spill_.size()) {
    io_uring_sqe* entry = next_entry();
    if (entry == nullptr) {
      const unsigned before = tail_ - load_acquire(backend_.queues().sq.khead);
      enter(0, 0);
      if (tail_ - load_acquire(backend_.queues().sq.khead) == before) break;
      continue;
    }
    *entry = spill_[moved++];
  }
  spill_.erase(spill_.begin(), spill_.begin() + static_cast<std::ptrdiff_t>(moved));
}

void Ring::enter(unsigned wait_for, std::uint64_t timeout_ns) {
  io_uring_sq& sq = backend_.queues().sq;
  store_release(sq.ktail, tail_);
  const unsigned queued = tail_ - load_acquire(sq.khead);
  const int result = backend_.enter(queued, wait_for, timeout_ns);
  if (result >= 0) {
    counters_.submitted += static_cast<unsigned>(result);
    return;
  }
  // The entries not taken stay in the queue for the next turn; any other error is a bug of ours.
  RINGWALL_CHECK(result == -ETIME || result == -EINTR || result == -EBUSY || result == -EAGAIN || result == -ENOMEM);
}

void Ring::dispatch() {
  io_uring_cq& cq = backend_.queues().cq;
  unsigned head = *cq.khead;
  // What completes while these are handled waits for the next turn, so that submissions are not held up.
  for (unsigned ready = load_acquire(cq.ktail) - head; ready > 0; --ready) {
    const io_uring_cqe& entry = cq.cqes[head & cq.ring_mask];
    auto& operation = *reinterpret_cast<Operation*>(static_cast<std::uintptr_t>(entry.user_data));
    const Completion completion{entry.res, entry.flags};
    store_release(cq.khead, ++head);
    RINGWALL_CHECK(operation.in_flight_);
    if (completion.is_last()) {
      operation.in_flight_ = false;
      --in_flight_;
    }
    ++counters_.completions;
    operation.handler_(operation, completion);
  }
}

void Ring::turn(std::uint64_t wait_ns_max) {
  ++counters_.turns;
  drain_spill();
  const std::uint64_t enter_at_ns = backend_.now_ns();
  const std::uint64_t wait_ns = spill_.empty() ? std::min(wait_ns_max, timers_.ns_until_next(enter_at_ns)) : 0;
  enter(wait_ns > 0 ? 1 : 0, wait_ns);
  counters_.between_ns += enter_at_ns - now_ns_;
  now_ns_ = backend_.now_ns();
  counters_.enter_ns += now_ns_ - enter_at_ns;
  dispatch();
  timers_.advance(now_ns_);
}

}  // namespace ringwall::ring
