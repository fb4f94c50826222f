#include <ringwall/ring/ring.h>

#include "unit/catch.h"
#include "unit/ring/paper_backend.h"

#include <cerrno>
#include <cstdint>
#include <deque>
#include <functional>
#include <vector>

namespace ringwall::ring {
namespace {

class Numbered {
 public:
  Numbered(int number, std::vector<int>& order) : number_(number), order_(order) {}

  void on_completion(const Completion&) {
    order_.push_back(number_);
    if (then) then();
  }

  OperationOf<Numbered, &Numbered::on_completion> operation{*this};
  std::function<void()> then;

 private:
  int number_;
  std::vector<int>& order_;
};

struct Alarm {
  void on_timer() { ++rings; }
  TimerOf<Alarm, &Alarm::on_timer> timer{*this};
  int rings = 0;
};

std::vector<int> numbers_to(int end) {
  std::vector<int> numbers;
  for (int number = 0; number < end; ++number) numbers.push_back(number);
  return numbers;
}

void prepare(Ring& ring, Numbered& numbered) { io_uring_prep_nop(&ring.prepare(numbered.operation)); }

}  // namespace

TEST_CASE("nothing is submitted before the turn, then all of it in order and dispatched in order") {
  PaperBackend backend(8);
  Ring ring(backend);
  std::vector<int> order;
  std::deque<Numbered> operations;
  for (int number = 0; number < 8; ++number) prepare(ring, operations.emplace_back(number, order));
  REQUIRE(backend.enters.empty());
  REQUIRE(ring.operations_in_flight() == 8);
  ring.turn(0);
  REQUIRE(backend.enters.size() == 1);
  REQUIRE(backend.enters[0].submit == 8);
  REQUIRE(order == numbers_to(8));
  REQUIRE(ring.counters().submitted == 8);
  REQUIRE(ring.counters().completions == 8);
  REQUIRE(ring.counters().turns == 1);
  REQUIRE(ring.counters().spilled == 0);
}

TEST_CASE("an entry is zeroed, whatever stood there, and names its operation") {
  PaperBackend backend(1);
  Ring ring(backend);
  std::vector<int> order;
  Numbered numbered(0, order);
  io_uring_prep_recv(&ring.prepare(numbered.operation), 7, nullptr, 99, 3);
  ring.turn(0);
  prepare(ring, numbered);
  ring.turn(0);
  const io_uring_sqe& entry = backend.taken.at(1);
  REQUIRE(entry.opcode == IORING_OP_NOP);
  REQUIRE(entry.len == 0);
  REQUIRE(entry.msg_flags == 0);
  REQUIRE(entry.user_data == reinterpret_cast<std::uintptr_t>(&numbered.operation));
}

TEST_CASE("the entry beyond the queue's size is preceded by an early submission") {
  PaperBackend backend(4);
  Ring ring(backend);
  std::vector<int> order;
  std::deque<Numbered> operations;
  for (int number = 0; number < 5; ++number) prepare(ring, operations.emplace_back(number, order));
  REQUIRE(backend.enters.size() == 1);
  REQUIRE(backend.enters[0].submit == 4);
  REQUIRE(backend.enters[0].wait_for == 0);
  REQUIRE(order.empty());
  ring.turn(0);
  REQUIRE(order == numbers_to(5));
  REQUIRE(ring.counters().spilled == 0);
}

TEST_CASE("what the kernel cannot take now waits in the spill list, in order, and the turn does not sleep on it") {
  PaperBackend backend(4);
  Ring ring(backend);
  std::vector<int> order;
  std::deque<Numbered> operations;
  backend.answers = {-EBUSY};
  for (int number = 0; number < 9; ++number) prepare(ring, operations.emplace_back(number, order));
  REQUIRE(backend.enters.size() == 1);
  REQUIRE(ring.counters().spilled == 5);
  REQUIRE(backend.taken.empty());

  // The queue stays full for a turn: nothing moves and nothing waits.
  backend.answers = {-EBUSY, -EAGAIN};
  ring.turn(1'000'000'000);
  REQUIRE(backend.taken.empty());
  REQUIRE(backend.enters.back().wait_for == 0);

  // Then the kernel takes what it likes.
  backend.answers = {1, 2, -EAGAIN};
  for (int turn = 0; turn < 10 && order.size() < 9; ++turn) ring.turn(1'000'000'000);
  REQUIRE(order == numbers_to(9));
  REQUIRE(ring.counters().submitted == 9);
  REQUIRE(ring.operations_in_flight() == 0);
}

TEST_CASE("once something has spilled, what comes after it spills too, so that a cancel stays behind its target") {
  PaperBackend backend(2);
  backend.completes_all = false;
  Ring ring(backend);
  std::vector<int> order;
  std::deque<Numbered> operations;
  backend.answers = {-EAGAIN};
  for (int number = 0; number < 3; ++number) prepare(ring, operations.emplace_back(number, order));
  Numbered& canceller = operations.emplace_back(3, order);
  ring.cancel(operations[2].operation, canceller.operation);
  ring.turn(0);
  ring.turn(0);
  REQUIRE(backend.taken.size() == 4);
  REQUIRE(backend.taken[2].user_data == reinterpret_cast<std::uintptr_t>(&operations[2].operation));
  REQUIRE(backend.taken[3].opcode == IORING_OP_ASYNC_CANCEL);
  REQUIRE(backend.taken[3].addr == reinterpret_cast<std::uintptr_t>(&operations[2].operation));
  for (Numbered& numbered : operations) backend.complete(reinterpret_cast<std::uintptr_t>(&numbered.operation), 0);
  ring.turn(0);
}

TEST_CASE("an operation is known to be cancelled until the cancel fails or it is prepared again") {
  PaperBackend backend(4);
  Ring ring(backend);
  std::vector<int> order;
  Numbered target(0, order), canceller(1, order);
  const auto cancel = [&] {
    prepare(ring, target);
    REQUIRE_FALSE(target.operation.is_cancelled());
    ring.cancel(target.operation, canceller.operation);
    REQUIRE(target.operation.is_cancelled());
    ring.turn(0);
  };
  cancel();
  // By user_data: with any flag, Linux goes through all that is in flight.
  REQUIRE(backend.taken.at(1).cancel_flags == 0);
  cancel();
  target.operation.note_cancel_failed();
  REQUIRE_FALSE(target.operation.is_cancelled());
}

TEST_CASE("what completes while completions are handled waits for the next turn") {
  PaperBackend backend(1);
  Ring ring(backend);
  std::vector<int> order;
  std::deque<Numbered> operations;
  for (int number = 0; number < 3; ++number) operations.emplace_back(number, order);
  operations[0].then = [&] {
    prepare(ring, operations[1]);
    prepare(ring, operations[2]);  // the queue has one entry: this submits the one before
  };
  prepare(ring, operations[0]);
  ring.turn(0);
  REQUIRE(order == std::vector<int>{0});
  REQUIRE(backend.completion_tail - backend.completion_head == 1);
  ring.turn(0);
  REQUIRE(order == numbers_to(3));
}

TEST_CASE("the queues' counters may pass 2^32") {
  PaperBackend backend(4, UINT32_MAX - 2);
  Ring ring(backend);
  std::vector<int> order;
  std::deque<Numbered> operations;
  for (int number = 0; number < 10; ++number) prepare(ring, operations.emplace_back(number, order));
  while (ring.operations_in_flight() > 0) ring.turn(0);
  REQUIRE(order == numbers_to(10));
  REQUIRE(backend.submission_head < 10);
}

TEST_CASE("a turn sleeps no longer than it was told, nor past the next timer") {
  PaperBackend backend(4);
  Ring ring(backend);
  ring.turn(5'000'000);
  REQUIRE(backend.enters.back().wait_for == 1);
  REQUIRE(backend.enters.back().timeout_ns == 5'000'000);
  ring.turn(0);
  REQUIRE(backend.enters.back().wait_for == 0);

  Alarm alarm;
  ring.timers().start(alarm.timer, backend.time_ns + 100'000'000);
  ring.turn(UINT64_MAX);
  REQUIRE(backend.enters.back().wait_for == 1);
  REQUIRE(backend.enters.back().timeout_ns >= 100'000'000);
  REQUIRE(backend.enters.back().timeout_ns <= 100'000'000 + (1 << TimerWheel::tick_bits));
  REQUIRE(alarm.rings == 0);
  backend.time_ns += backend.enters.back().timeout_ns;
  ring.turn(UINT64_MAX);
  REQUIRE(alarm.rings == 1);
  REQUIRE(ring.now_ns() == backend.time_ns);
}

TEST_CASE("completions are handled before the timers of the same turn") {
  PaperBackend backend(4);
  Ring ring(backend);
  std::vector<int> order;
  Alarm alarm;
  Numbered answer(0, order);
  answer.then = [&] { alarm.timer.stop(); };
  ring.timers().start(alarm.timer, backend.time_ns);
  prepare(ring, answer);
  backend.time_ns += 100'000'000;
  ring.turn(0);
  REQUIRE(order.size() == 1);
  REQUIRE(alarm.rings == 0);
}

TEST_CASE("a wait that is interrupted or times out is an ordinary turn") {
  PaperBackend backend(4);
  Ring ring(backend);
  for (const int answer : {-ETIME, -EINTR, -EBUSY, -EAGAIN, -ENOMEM}) {
    backend.answers = {answer};
    ring.turn(1000);
  }
  REQUIRE(ring.counters().turns == 5);
  REQUIRE(ring.counters().submitted == 0);
}

}  // namespace ringwall::ring
