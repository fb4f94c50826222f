#include <ringwall/session/assembly_budget.h>

#include <ringwall/check.h>

#include <algorithm>

namespace ringwall::session {

namespace {

constexpr std::size_t told_per_turn_max = 64;

}  // namespace

AssemblyBudget::AssemblyBudget(std::size_t bytes_max, std::size_t bytes_per_address_max, std::size_t bytes_each_max,
                               std::size_t reserve_bytes)
    : bytes_max_(bytes_max),
      bytes_per_address_max_(std::min(bytes_max, bytes_per_address_max)),
      bytes_each_max_(std::min(bytes_per_address_max_, bytes_each_max)),
      reserve_bytes_(reserve_bytes) {}

AssemblyBudget::~AssemblyBudget() { RINGWALL_CHECK(shard_.used == 0); }

bool AssemblyBudget::has_room(const Scope& scope, std::size_t bytes_max, std::size_t own, std::size_t bytes) const {
  const std::size_t most_before = scope.held.empty() ? 0 : *scope.held.rbegin();
  const std::size_t most = std::max(own + bytes, most_before);
  const std::size_t kept = bytes_each_max_ - std::min(most, bytes_each_max_);
  const bool may_use_reserve = &scope == &shard_ && (own + bytes <= small_bytes_max || (own > 0 && own == most_before));
  return scope.used + bytes + kept <= bytes_max + (may_use_reserve ? reserve_bytes_ : 0);
}

void AssemblyBudget::replace(Scope& scope, std::size_t before, std::size_t now) {
  if (before > 0) scope.held.erase(scope.held.find(before));
  if (now > 0) scope.held.insert(now);
  scope.used = scope.used - before + now;
}

AssemblyBudget::Answer AssemblyBudget::take(AssemblyCharge& charge, std::size_t bytes) {
  const std::size_t own = charge.bytes_;
  if (own + bytes > bytes_per_address_max_) return Answer::never;
  const auto address = by_address_.try_emplace(charge.key_).first;
  if (!has_room(shard_, bytes_max_, own, bytes) || !has_room(address->second, bytes_per_address_max_, own, bytes)) {
    if (address->second.used == 0) by_address_.erase(address);
    ++times_reached_;
    return Answer::wait;
  }
  replace(shard_, own, own + bytes);
  replace(address->second, own, own + bytes);
  charge.bytes_ += bytes;
  return Answer::given;
}

void AssemblyBudget::give_back(AssemblyCharge& charge) {
  const auto address = by_address_.find(charge.key_);
  RINGWALL_CHECK(address != by_address_.end());
  replace(shard_, charge.bytes_, 0);
  replace(address->second, charge.bytes_, 0);
  charge.bytes_ = 0;
  if (address->second.used == 0) by_address_.erase(address);
  memory_came_back_ = true;
}

void AssemblyBudget::wake() {
  if (std::exchange(memory_came_back_, false)) to_tell_ = waiting_.size();
  for (std::size_t count = std::min({to_tell_, waiting_.size(), told_per_turn_max}); count > 0 && !waiting_.empty();
       --count) {
    --to_tell_;
    Waiter* first = waiting_.front();
    waiting_.pop_front();
    first->on_memory();
  }
  to_tell_ = std::min(to_tell_, waiting_.size());
}

}  // namespace ringwall::session
