#include <ringwall/quota/terms.h>

#include <algorithm>
#include <limits>

namespace ringwall::quota {
namespace {

std::uint32_t in_reach(std::uint32_t max) { return max > 0 ? max : std::numeric_limits<std::uint32_t>::max(); }

// A hundredth of a second, and of the burst no more than an eighth: what a shard holds, others miss.
std::uint64_t slice_of(const Pace& pace) {
  const std::uint64_t units = std::min(pace.per_second() / 100, pace.burst() / 8);
  return std::clamp<std::uint64_t>(units, 1, machine_slice_units_max);
}

// `pace` makes a pace of a rate, given where the same one stands in the terms before.
template <typename PaceOf>
Terms terms_of(const Limits& limits, PaceOf pace) {
  const auto peer = [&](const PeerLimits& of, PeerTerms Terms::* which) {
    return PeerTerms{
        .units = pace(of.units, [=](const Terms& terms) { return (terms.*which).units; }),
        .new_connections = pace(of.new_connections, [=](const Terms& terms) { return (terms.*which).new_connections; }),
        .connections_max = in_reach(of.connections_max),
        .subscriptions_max = in_reach(of.subscriptions_max)};
  };
  const ConnectionLimits& connection = limits.connection;
  const Pace machine = pace(limits.machine_units, [](const Terms& terms) { return terms.machine_units; });
  return {.address = peer(limits.address, &Terms::address),
          .network = peer(limits.network, &Terms::network),
          .connection_units = pace(connection.units, [](const Terms& terms) { return terms.connection_units; }),
          .machine_units = machine,
          .machine_slice_units = slice_of(machine),
          .connection_subscriptions_max = in_reach(connection.subscriptions_max),
          .calls_in_flight_max = in_reach(connection.calls_in_flight_max),
          .batch_calls_max = in_reach(connection.batch_calls_max),
          .close_after = in_reach(connection.close_after),
          .exempt = limits.exempt};
}

}  // namespace

Terms first_terms(const Limits& limits, std::uint64_t now_ns) {
  return terms_of(limits, [=](const Rate& rate, auto) { return Pace(rate, now_ns); });
}

Terms next_terms(const Terms& terms, const Limits& limits, std::uint64_t now_ns) {
  return terms_of(limits, [&](const Rate& rate, auto of) { return of(terms).changed_to(rate, now_ns); });
}

}  // namespace ringwall::quota
