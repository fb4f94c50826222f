// shard.h: one shard with its accounts, and the limits that a test sets.
#pragma once

#include <ringwall/quota/admission.h>

#include "unit/catch.h"
#include "unit/quota/fixture.h"

#include <cstdint>
#include <deque>

namespace ringwall::quota {

struct Shard {
  explicit Shard(const Limits& limits, const Layout& layout = small_layout)
      : accounts({}, layout), admission(accounts, first_terms(limits, start_ns)) {}

  Decision open(const AddressBytes& address, std::uint64_t now_ns = start_ns) {
    Connection& connection = connections.emplace_back();
    const Decision decision = admission.open(connection, admission.client(address, now_ns), now_ns);
    if (!decision.given) connections.pop_back();
    return decision;
  }
  Connection& opened(const AddressBytes& address, std::uint64_t now_ns = start_ns) {
    REQUIRE(open(address, now_ns).given);
    return connections.back();
  }
  Decision charge(Connection& connection, std::uint64_t units, std::uint64_t now_ns = start_ns) {
    return admission.charge(connection, {.units = units, .answers = 0}, now_ns);
  }

  Accounts accounts;
  Admission admission;
  std::deque<Connection> connections;
};

inline const AddressBytes alice = ipv4(1);
inline const AddressBytes bob = ipv4(2);

inline void check_refused(const Decision& decision, Reason reason, std::uint32_t retry_after_ms = 0) {
  CHECK_FALSE(decision.given);
  CHECK(to_text(decision.reason) == to_text(reason));
  CHECK(decision.retry_after_ms == retry_after_ms);
}

}  // namespace ringwall::quota
