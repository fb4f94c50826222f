#include "load/in_flight.h"

#include <ringwall/check.h>

#include <algorithm>

namespace ringwall::load {

namespace {

constexpr std::size_t given_up_max = 4096;

}  // namespace

InFlight::InFlight(std::uint32_t places) : places_(places) {
  RINGWALL_CHECK(places > 0);
  start_again();
}

void InFlight::start_again() {
  free_.clear();
  for (std::size_t place = places_.size(); place-- > 0;) {
    places_[place].id = 0;
    free_.push_back(static_cast<std::uint32_t>(place));
  }
  given_up_.clear();
  round_ = 0;
}

std::uint64_t InFlight::add(const CallInFlight& call) {
  RINGWALL_CHECK(!free_.empty());
  const std::uint32_t place = free_.back();
  free_.pop_back();
  places_[place] = {call, ++round_ * places_.size() + place};
  return places_[place].id;
}

InFlight::Taken InFlight::take(std::uint64_t id) {
  const std::size_t place = id % places_.size();
  if (id != 0 && places_[place].id == id) return {Match::found, free(place)};
  const auto late = std::ranges::find(given_up_, id);
  if (late == given_up_.end()) return {};
  given_up_.erase(late);
  return {Match::late, {}};
}

template <typename Predicate>
std::optional<std::size_t> InFlight::find(const Predicate& is_it) {
  for (std::size_t left = places_.size(); left > 0; --left) {
    if (searched_ == places_.size()) searched_ = 0;
    const Place& place = places_[searched_++];
    if (place.id != 0 && is_it(place.call)) return searched_ - 1;
  }
  return std::nullopt;
}

std::optional<CallInFlight> InFlight::give_up(std::uint64_t sent_before_ns) {
  const auto old = find([&](const CallInFlight& call) { return call.sent_ns <= sent_before_ns; });
  if (!old) return std::nullopt;
  if (given_up_.size() == given_up_max) given_up_.erase(given_up_.begin());
  given_up_.push_back(places_[*old].id);
  return free(*old);
}

std::uint64_t InFlight::oldest_sent_ns() const {
  std::uint64_t oldest = UINT64_MAX;
  for (const Place& place : places_) {
    if (place.id != 0) oldest = std::min(oldest, place.call.sent_ns);
  }
  return oldest;
}

std::optional<CallInFlight> InFlight::take_any() {
  const auto used = find([](const CallInFlight&) { return true; });
  if (!used) return std::nullopt;
  return free(*used);
}

CallInFlight InFlight::free(std::size_t place) {
  places_[place].id = 0;
  free_.push_back(static_cast<std::uint32_t>(place));
  return places_[place].call;
}

}  // namespace ringwall::load
