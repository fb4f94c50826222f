// decision.h: what admission says, and how often it said it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ringwall::quota {

// Why something was refused: the first limit that was found reached.
enum class Reason : std::uint8_t {
  none,                 // given
  banned,               // the address, for a time
  address_connections,  // open ones
  network_connections,
  address_new_connections,  // a second
  network_new_connections,
  batch_calls,               // never: too many calls in one batch
  request_units,             // never: it costs more than a burst
  calls_in_flight,           // when an answer has come
  connection_subscriptions,  // when one has ended, and so the next two
  address_subscriptions,
  network_subscriptions,
  connection_units,
  address_units,
  network_units,
  machine_units,
  count
};

inline constexpr std::size_t reasons = static_cast<std::size_t>(Reason::count);

// For metrics and logs: "address_units".
[[nodiscard]] std::string_view to_text(Reason reason);

struct Decision {
  bool given = true;
  Reason reason = Reason::none;
  // When the same would be given if nobody else came; 0: no time will make it so (see Reason), or it is given.
  std::uint32_t retry_after_ms = 0;
};

// One shard's.
struct Counters {
  std::array<std::uint64_t, reasons> refused{};  // by Reason
  std::uint64_t connections_given = 0;
  std::uint64_t requests_given = 0;
  std::uint64_t calls_given = 0;
  std::uint64_t units_given = 0;
  std::uint64_t units_exempt = 0;  // part of units_given
  std::uint64_t units_owed = 0;    // charged afterwards
  std::uint64_t overflow_clients = 0;

  [[nodiscard]] std::uint64_t refused_for(Reason reason) const { return refused[static_cast<std::size_t>(reason)]; }
};

}  // namespace ringwall::quota
