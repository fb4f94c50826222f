// operation.h: one request to the kernel, as an object.
//
// An operation is a member of its owner and never moves: the kernel's user_data points at it. It is in flight from
// Ring::prepare until its last completion; destroying it before that is a bug that is caught here, since the kernel may
// still write to what the owner owns. Owner and thread: one object of one shard.
#pragma once

#include <liburing.h>
#include <ringwall/check.h>

#include <cstdint>

namespace ringwall::ring {

struct Completion {
  int result;           // bytes, a descriptor, or a negative errno
  std::uint32_t flags;  // IORING_CQE_F_*

  [[nodiscard]] bool is_last() const { return (flags & IORING_CQE_F_MORE) == 0; }
  [[nodiscard]] bool has_buffer() const { return (flags & IORING_CQE_F_BUFFER) != 0; }
  [[nodiscard]] std::uint16_t buffer_id() const { return static_cast<std::uint16_t>(flags >> IORING_CQE_BUFFER_SHIFT); }
};

class Operation {
 public:
  using Handler = void (*)(Operation&, const Completion&);

  explicit Operation(Handler handler) : handler_(handler) {}
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
  ~Operation() { RINGWALL_CHECK(!in_flight_); }

  [[nodiscard]] bool in_flight() const { return in_flight_; }
  // The kernel has been asked to end it, and has not been heard to fail.
  [[nodiscard]] bool is_cancelled() const { return cancelled_; }
  // The cancel found nothing to end, or something that it could not stop: if this is still in flight, ask again.
  void note_cancel_failed() { cancelled_ = false; }

 private:
  friend class Ring;

  Handler handler_;
  bool in_flight_ = false;
  bool cancelled_ = false;  // since it was prepared
};

// `Handle` may destroy its owner once every operation of that owner has ended.
template <typename Owner, void (Owner::*Handle)(const Completion&)>
class OperationOf final : public Operation {
 public:
  explicit OperationOf(Owner& owner) : Operation(&call), owner_(owner) {}

 private:
  static void call(Operation& operation, const Completion& completion) {
    (static_cast<OperationOf&>(operation).owner_.*Handle)(completion);
  }

  Owner& owner_;
};

}  // namespace ringwall::ring
