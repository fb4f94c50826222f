#include <ringwall/ring/operation.h>
#include <ringwall/ring/ring.h>

#include "unit/catch.h"
#include "unit/ring/death.h"
#include "unit/ring/paper_backend.h"

#include <memory>

namespace ringwall::ring {
namespace {

struct Owner {
  explicit Owner(bool& destroyed) : destroyed_(destroyed) {}
  Owner(const Owner&) = delete;
  Owner& operator=(const Owner&) = delete;
  ~Owner() { destroyed_ = true; }

  void on_completion(const Completion& completion) {
    if (completion.is_last()) self.reset();
  }

  OperationOf<Owner, &Owner::on_completion> operation{*this};
  std::unique_ptr<Owner> self;

 private:
  bool& destroyed_;
};

}  // namespace

TEST_CASE("a completion names its buffer and says whether more follow") {
  const Completion more{5, IORING_CQE_F_MORE | IORING_CQE_F_BUFFER | 513U << IORING_CQE_BUFFER_SHIFT};
  REQUIRE(!more.is_last());
  REQUIRE(more.has_buffer());
  REQUIRE(more.buffer_id() == 513);
  const Completion last{0, 0};
  REQUIRE(last.is_last());
  REQUIRE(!last.has_buffer());
}

TEST_CASE("an operation is in flight from prepare to its last completion, and its owner may go with that") {
  PaperBackend backend(8);
  backend.completes_all = false;
  Ring ring(backend);
  bool destroyed = false;
  auto owner = std::make_unique<Owner>(destroyed);
  Operation& operation = owner->operation;
  REQUIRE(!operation.in_flight());
  io_uring_prep_nop(&ring.prepare(operation));
  REQUIRE(operation.in_flight());
  ring.turn(0);
  const auto user_data = backend.taken.at(0).user_data;
  backend.complete(user_data, 1, IORING_CQE_F_MORE);
  ring.turn(0);
  REQUIRE(operation.in_flight());
  REQUIRE(ring.operations_in_flight() == 1);
  Owner* kept = owner.get();
  kept->self = std::move(owner);
  backend.complete(user_data, 0);
  ring.turn(0);
  REQUIRE(destroyed);
  REQUIRE(ring.operations_in_flight() == 0);
}

TEST_CASE("an operation that is destroyed, prepared again or orphaned by its ring while in flight aborts") {
  REQUIRE(aborts([] {
    PaperBackend backend(8);
    Ring ring(backend);
    bool destroyed = false;
    auto owner = std::make_unique<Owner>(destroyed);
    io_uring_prep_nop(&ring.prepare(owner->operation));
    owner.reset();
  }));
  REQUIRE(aborts([] {
    PaperBackend backend(8);
    Ring ring(backend);
    bool destroyed = false;
    Owner owner(destroyed);
    io_uring_prep_nop(&ring.prepare(owner.operation));
    io_uring_prep_nop(&ring.prepare(owner.operation));
  }));
  REQUIRE(aborts([] {
    PaperBackend backend(8);
    auto ring = std::make_unique<Ring>(backend);
    bool destroyed = false;
    Owner owner(destroyed);
    io_uring_prep_nop(&ring->prepare(owner.operation));
    ring.reset();
  }));
}

TEST_CASE("a completion for an operation that has ended aborts") {
  REQUIRE(aborts([] {
    PaperBackend backend(8);
    backend.completes_all = false;
    Ring ring(backend);
    bool destroyed = false;
    Owner owner(destroyed);
    io_uring_prep_nop(&ring.prepare(owner.operation));
    ring.turn(0);
    backend.complete(backend.taken.at(0).user_data, 0);
    backend.complete(backend.taken.at(0).user_data, 0);
    ring.turn(0);
  }));
}

}  // namespace ringwall::ring
