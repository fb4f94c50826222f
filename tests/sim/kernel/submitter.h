// submitter.h: operations with a memory, for tests of what the kernel answers.
#pragma once

#include <ringwall/ring/ring.h>

#include <cstdint>
#include <vector>

namespace ringwall::sim {

// One operation and all its completions; `order` gets its number for each of them.
class Recorded {
 public:
  explicit Recorded(ring::Ring& ring, std::vector<int>* order = nullptr, int number = 0)
      : ring_(ring), order_(order), number_(number) {}

  [[nodiscard]] io_uring_sqe& prepare() { return ring_.prepare(operation_); }
  [[nodiscard]] const ring::Operation& operation() const { return operation_; }
  [[nodiscard]] ring::Operation& operation() { return operation_; }
  [[nodiscard]] bool has_ended() const { return !operation_.in_flight(); }

  std::vector<ring::Completion> completions;

 private:
  void on_completion(const ring::Completion& completion) {
    completions.push_back(completion);
    if (order_ != nullptr) order_->push_back(number_);
  }

  ring::Ring& ring_;
  std::vector<int>* order_;
  int number_;
  ring::OperationOf<Recorded, &Recorded::on_completion> operation_{*this};
};

}  // namespace ringwall::sim
