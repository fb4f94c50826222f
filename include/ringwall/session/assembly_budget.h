// assembly_budget.h: the memory of messages and bodies that are not whole yet: so much a shard, so much an address.
//
// Memory is charged as it is grown, that is, as bytes arrive. Who wants more than there is waits in line; when memory
// comes back, those at the front are told. One that would hold more than its address, or the shard, may ever have is
// refused at once.
//
// Those who hold a part and wait for more never wait for each other: what the one that holds most, of the shard and of
// each address, may still need for the largest message is kept free of the others. So one can always be finished, and
// with what comes back from it, all the others. Beyond the bound there is a reserve for what is small, so that large
// messages that are begun and never ended do not hold up the small ones of others. Owner: the shard.
// Source: Dijkstra, "The mathematics behind the Banker's Algorithm" (EWD 623), where all have the same claim.
#pragma once

#include <ringwall/session/client_address.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <utility>

namespace ringwall::session {

class AssemblyCharge;

class AssemblyBudget {
 public:
  class Waiter {
   public:
    virtual void on_memory() = 0;  // ask again

   protected:
    ~Waiter() = default;
  };

  enum class Answer { given, wait, never };

  static constexpr std::size_t small_bytes_max = 64 << 10;  // of a message that may use the reserve

  // `bytes_each_max`: the largest message or body. `reserve_bytes` come on top of `bytes_max`.
  AssemblyBudget(std::size_t bytes_max, std::size_t bytes_per_address_max, std::size_t bytes_each_max,
                 std::size_t reserve_bytes = 0);
  AssemblyBudget(const AssemblyBudget&) = delete;
  AssemblyBudget& operator=(const AssemblyBudget&) = delete;
  ~AssemblyBudget();

  void wait(Waiter& waiter) { waiting_.push_back(&waiter); }
  void stop_waiting(Waiter& waiter) { std::erase(waiting_, &waiter); }
  // Once a turn: tells those who wait if memory has come back, so many a turn.
  void wake();
  // True when wake() has somebody to tell: the turn must not sleep before it.
  [[nodiscard]] bool is_due() const { return !waiting_.empty() && (memory_came_back_ || to_tell_ > 0); }

  [[nodiscard]] std::size_t bytes_max() const { return bytes_max_; }
  [[nodiscard]] std::size_t used() const { return shard_.used; }
  [[nodiscard]] std::uint64_t times_reached() const { return times_reached_; }

 private:
  friend class AssemblyCharge;

  // Those who share a bound: all of the shard, or all of one address.
  struct Scope {
    std::size_t used = 0;
    std::multiset<std::size_t> held{};  // by each: what `used` is the sum of
  };

  [[nodiscard]] Answer take(AssemblyCharge& charge, std::size_t bytes);
  void give_back(AssemblyCharge& charge);
  [[nodiscard]] bool has_room(const Scope& scope, std::size_t bytes_max, std::size_t own, std::size_t bytes) const;
  static void replace(Scope& scope, std::size_t before, std::size_t now);

  const std::size_t bytes_max_;
  const std::size_t bytes_per_address_max_;
  const std::size_t bytes_each_max_;
  const std::size_t reserve_bytes_;
  Scope shard_{};
  std::map<AddressBytes, Scope> by_address_;
  std::deque<Waiter*> waiting_;
  std::uint64_t times_reached_ = 0;
  std::size_t to_tell_ = 0;  // of waiting_, since memory came back
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

  [[nodiscard]] AssemblyBudget::Answer grow(std::size_t bytes) { return budget_->take(*this, bytes); }
  void release() {
    if (bytes_ > 0) budget_->give_back(*this);
  }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  friend class AssemblyBudget;

  AssemblyBudget* budget_;
  AddressBytes key_;
  std::size_t bytes_ = 0;
};

}  // namespace ringwall::session
