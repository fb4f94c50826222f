// terms.h: the limits as they are computed with: rates as paces, no limit as a number out of reach.
//
// A value. The server makes the first terms at start and the next ones at each reload; each shard holds a copy
// (Admission::adopt). Next terms are made from those before, so that debts are kept. While some shards have adopted
// them and others not, each gives by what it holds: the slack is the difference of the rates times that while.
#pragma once

#include <cstdint>
#include <vector>

#include <ringwall/quota/limits.h>
#include <ringwall/quota/pace.h>

namespace ringwall::quota {

struct PeerTerms {
  Pace units;
  Pace new_connections;
  std::uint32_t connections_max;
  std::uint32_t subscriptions_max;
};

struct Terms {
  PeerTerms address;
  PeerTerms network;
  Pace connection_units;
  Pace machine_units;
  std::uint64_t machine_slice_units;  // what a shard takes at once
  std::uint32_t connection_subscriptions_max;
  std::uint32_t calls_in_flight_max;
  std::uint32_t batch_calls_max;
  std::uint32_t close_after;
  std::vector<AddressRange> exempt;
};

// `limits` has passed check().
[[nodiscard]] Terms first_terms(const Limits& limits, std::uint64_t now_ns);
[[nodiscard]] Terms next_terms(const Terms& terms, const Limits& limits, std::uint64_t now_ns);

}  // namespace ringwall::quota
