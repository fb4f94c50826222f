#include <ringwall/session/assembly_budget.h>

#include <ringwall/check.h>

#include <algorithm>

namespace ringwall::session {

AssemblyBudget::AssemblyBudget(std::size_t bytes_max, std::size_t bytes_per_address_max, std::size_t bytes_each_max)
    : bytes_max_(bytes_max),
      bytes_per_address_max_(std::min(bytes_max, bytes_per_address_max)),
      bytes_each_max_(std::min(bytes_per_address_max_, bytes_each_max)) {}

AssemblyBudget::~AssemblyBudget() { RINGWALL_CHECK(shard_.used == 0); }

bool AssemblyBudget::has_room(const Scope& scope, std::size_t bytes_max, std::uint64_t age, std::size_t bytes) const {
  std::size_t kept = 0;  // for the oldest
  if (!scope.growing.empty() && scope.growing.begin()->first != age) {
    kept = bytes_each_max_ - std::min(scope.growing.begin()->second, bytes_each_max_);
  }
  return scope.used + kept + bytes <= bytes_max;
}

AssemblyBudget::Answer AssemblyBudget::take(AssemblyCharge& charge, std::size_t bytes) {
  if (charge.bytes_ + bytes > bytes_per_address_max_) return Answer::never;
  Scope& address = by_address_[charge.key_];
  if (!has_room(shard_, bytes_max_, charge.age_, bytes) ||
      !has_room(address, bytes_per_address_max_, charge.age_, bytes)) {
    if (address.used == 0) by_address_.erase(charge.key_);
    ++times_reached_;
    return Answer::wait;
  }
  if (charge.age_ == 0) charge.age_ = next_age_++;
  charge.bytes_ += bytes;
  for (Scope* scope : {&shard_, &address}) {
    scope->used += bytes;
    scope->growing[charge.age_] = charge.bytes_;
  }
  return Answer::given;
}

void AssemblyBudget::settle(AssemblyCharge& charge) {
  if (charge.age_ == 0) return;
  shard_.growing.erase(charge.age_);
  by_address_.at(charge.key_).growing.erase(charge.age_);
  charge.age_ = 0;
  memory_came_back_ = true;  // what was kept for it
}

void AssemblyBudget::give_back(AssemblyCharge& charge) {
  settle(charge);
  const auto address = by_address_.find(charge.key_);
  RINGWALL_CHECK(address != by_address_.end() && address->second.used >= charge.bytes_);
  shard_.used -= charge.bytes_;
  address->second.used -= charge.bytes_;
  charge.bytes_ = 0;
  if (address->second.used == 0) by_address_.erase(address);
  memory_came_back_ = true;
}

void AssemblyBudget::wake() {
  if (!std::exchange(memory_came_back_, false)) return;
  for (std::size_t left = waiting_.size(); left > 0 && !waiting_.empty(); --left) {
    Waiter* first = waiting_.front();
    waiting_.pop_front();
    first->on_memory();
  }
}

}  // namespace ringwall::session
