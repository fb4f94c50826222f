#include <ringwall/session/request.h>

#include <ringwall/connection/owned_slice.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace ringwall::session {

namespace {

constexpr std::size_t first_capacity = 4 * 1024;

struct BodyMemory {
  websocket::MallocBytes memory;
  AssemblyCharge charge;
};

}  // namespace

void Request::count_at(NodeService* next) {
  if (counted_at != nullptr) counted_at->target.end_request();
  counted_at = next;
  if (counted_at != nullptr) counted_at->target.begin_request();
}

std::string make_request_text(std::string_view head, std::size_t body_bytes) {
  std::string text;
  text.reserve(head.size() + body_bytes);  // while it is empty: later it would double
  text.append(head);
  return text;
}

AssemblyBudget::Answer Body::reserve(std::size_t bytes, std::size_t ceiling) {
  bytes = std::min(bytes, ceiling - size_);
  if (size_ + bytes <= capacity_) return AssemblyBudget::Answer::given;
  const std::size_t wanted = std::min(std::max({size_ + bytes, capacity_ * 2, first_capacity}), ceiling);
  AssemblyBudget::Answer answer = charge_.grow(wanted - capacity_);
  std::size_t granted = wanted;
  if (answer != AssemblyBudget::Answer::given) {
    // Twice the size is a comfort; what has arrived is what is needed.
    granted = size_ + bytes;
    answer = charge_.grow(granted - capacity_);
    if (answer != AssemblyBudget::Answer::given) return answer;
  }
  auto* grown = static_cast<std::byte*>(std::realloc(memory_.get(), granted));
  if (grown == nullptr) return AssemblyBudget::Answer::never;
  (void)memory_.release();
  memory_.reset(grown);
  capacity_ = granted;
  return AssemblyBudget::Answer::given;
}

void Body::append(std::string_view payload) {
  RINGWALL_CHECK(size_ + payload.size() <= capacity_);
  if (!payload.empty()) std::memcpy(memory_.get() + size_, payload.data(), payload.size());
  size_ += payload.size();
}

ring::Slice Body::take() {
  if (size_ == 0) return {};
  const std::span<std::byte> bytes(memory_.get(), size_);
  size_ = capacity_ = 0;
  return connection::make_owned_slice(BodyMemory{std::move(memory_), std::move(charge_)}, bytes);
}

}  // namespace ringwall::session
