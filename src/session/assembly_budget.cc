#include <ringwall/session/assembly_budget.h>

namespace ringwall::session {

AssemblyBudget::Answer AssemblyBudget::take(const AddressBytes& key, std::size_t bytes, std::size_t own) {
  if (own + bytes > bytes_each_max_) return Answer::never;
  const auto at = by_address_.find(key);
  const std::size_t held = at == by_address_.end() ? 0 : at->second;
  // With others at its address it may fit when they are done.
  if (held + bytes > bytes_each_max_ || !total_.take(bytes)) return Answer::wait;
  by_address_[key] += bytes;
  return Answer::given;
}

void AssemblyBudget::give_back(const AddressBytes& key, std::size_t bytes) {
  total_.give_back(bytes);
  const auto at = by_address_.find(key);
  RINGWALL_CHECK(at != by_address_.end() && at->second >= bytes);
  at->second -= bytes;
  if (at->second == 0) by_address_.erase(at);
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
