#include <ringwall/quota/decision.h>

#include <ringwall/check.h>

namespace ringwall::quota {

std::string_view to_text(Reason reason) {
  constexpr std::array<std::string_view, reasons> texts = {
      "none",
      "banned",
      "address_connections",
      "network_connections",
      "address_new_connections",
      "network_new_connections",
      "batch_calls",
      "request_units",
      "calls_in_flight",
      "connection_subscriptions",
      "address_subscriptions",
      "network_subscriptions",
      "connection_units",
      "address_units",
      "network_units",
      "machine_units",
  };
  RINGWALL_CHECK(reason < Reason::count);
  return texts[static_cast<std::size_t>(reason)];
}

}  // namespace ringwall::quota
