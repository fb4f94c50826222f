// assembly_budget.h: the memory of messages and bodies that are not whole yet: so much a shard, so much an address.
//
// Memory is charged as it is grown, that is, as bytes arrive. When the shard's budget is spent, a session that wants
// more waits in line; when memory comes back, those at the front are told. One that would hold more than its address,
// or the shard, may ever have is refused at once. Owner: the shard.
#pragma once

#include <ringwall/connection/budget.h>
#include <ringwall/session/client_address.h>

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <utility>

namespace ringwall::session {

class AssemblyBudget {
 public:
  class Waiter {
   public:
    virtual void on_memory() = 0;  // ask again

   protected:
    ~Waiter() = default;
  };

  enum class Answer { given, wait, never };

  AssemblyBudget(std::size_t bytes_max, std::size_t bytes_per_address_max)
      : total_(bytes_max), bytes_each_max_(std::min(bytes_max, bytes_per_address_max)) {}

  // `own`: what the one that asks holds already.
  [[nodiscard]] Answer take(const AddressBytes& key, std::size_t bytes, std::size_t own);
  void give_back(const AddressBytes& key, std::size_t bytes);

  void wait(Waiter& waiter) { waiting_.push_back(&waiter); }
  void stop_waiting(Waiter& waiter) { std::erase(waiting_, &waiter); }
  // Once a turn: tells those who wait if memory came back since the last call.
  void wake();
  // True when wake() has somebody to tell: the turn must not sleep before it.
  [[nodiscard]] bool is_due() const { return memory_came_back_ && !waiting_.empty(); }

  [[nodiscard]] std::size_t used() const { return total_.used(); }
  [[nodiscard]] std::uint64_t times_reached() const { return total_.times_reached(); }

 private:
  connection::Budget total_;
  const std::size_t bytes_each_max_;  // of an address
  std::map<AddressBytes, std::size_t> by_address_;
  std::deque<Waiter*> waiting_;
  bool memory_came_back_ = false;
};

// So many bytes of a budget, given back with the object.
class AssemblyCharge {
 public:
  AssemblyCharge(AssemblyBudget& budget, const AddressBytes& key) : budget_(&budget), key_(key) {}
  AssemblyCharge(AssemblyCharge&& other) noexcept
      : budget_(other.budget_), key_(other.key_), bytes_(std::exchange(other.bytes_, 0)) {}
  AssemblyCharge& operator=(AssemblyCharge&&) = delete;
  ~AssemblyCharge() { release(); }

  [[nodiscard]] AssemblyBudget::Answer grow(std::size_t bytes) {
    const AssemblyBudget::Answer answer = budget_->take(key_, bytes, bytes_);
    if (answer == AssemblyBudget::Answer::given) bytes_ += bytes;
    return answer;
  }
  void release() {
    if (bytes_ > 0) budget_->give_back(key_, std::exchange(bytes_, 0));
  }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  AssemblyBudget* budget_;
  AddressBytes key_;
  std::size_t bytes_ = 0;
};

}  // namespace ringwall::session
