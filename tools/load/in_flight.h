// in_flight.h: the calls of one connection that wait for their answers, found by the ids that they were given.
//
// An id is the call's place plus a multiple of the number of places that grows with each call: unique on the
// connection, and found without a search. Owner: one client. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace ringwall::load {

struct CallInFlight {
  enum class Kind : std::uint8_t { call, unsubscribe };
  std::uint64_t intended_ns = 0;  // latency counts from here
  std::uint64_t sent_ns = 0;
  std::uint32_t index = 0;  // in the mix
  Kind kind = Kind::call;
  bool is_counted = false;  // it was meant for the measured time
};

class InFlight {
 public:
  explicit InFlight(std::uint32_t places);

  [[nodiscard]] std::size_t size() const { return places_.size() - free_.size(); }
  [[nodiscard]] bool is_full() const { return free_.empty(); }

  // Not when full. The id is from 1 on.
  [[nodiscard]] std::uint64_t add(const CallInFlight& call);

  enum class Match : std::uint8_t {
    found,
    late,     // it was given up before
    unknown,  // no call has, or had, this id, or it has been answered
  };
  struct Taken {
    Match match = Match::unknown;
    CallInFlight call{};
  };
  // Found: it is in flight no longer.
  [[nodiscard]] Taken take(std::uint64_t id);

  // One that was sent so long ago, given up: an answer that still comes is late.
  [[nodiscard]] std::optional<CallInFlight> give_up(std::uint64_t sent_before_ns);
  [[nodiscard]] std::uint64_t oldest_sent_ns() const;  // UINT64_MAX: none is in flight
  // Any one, until there is none: of a connection that is gone.
  [[nodiscard]] std::optional<CallInFlight> take_any();
  // Of a new connection.
  void start_again();

 private:
  struct Place {
    CallInFlight call;
    std::uint64_t id = 0;  // 0: free
  };

  // The place of a call that `is_it` says yes to, from where the last search ended, so that taking all is one round.
  template <typename Predicate>
  [[nodiscard]] std::optional<std::size_t> find(const Predicate& is_it);
  [[nodiscard]] CallInFlight free(std::size_t place);

  std::vector<Place> places_;
  std::vector<std::uint32_t> free_;
  std::vector<std::uint64_t> given_up_;  // the last few
  std::uint64_t round_ = 0;
  std::size_t searched_ = 0;  // the place where the next search begins
};

}  // namespace ringwall::load
