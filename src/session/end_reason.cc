#include <ringwall/session/end_reason.h>

#include <ringwall/check.h>

namespace ringwall::session {

std::string_view name(EndReason reason) {
  static constexpr std::array<std::string_view, end_reasons> names = {
      "none",          "done",         "client_closed", "client_gone", "client_reset", "client_refused",
      "client_silent", "client_slow",  "tls_failed",    "node_closed", "node_gone",    "node_unreachable",
      "node_slow",     "node_refused", "node_garbage",  "over_limit",  "memory_bound", "proxy_header",
      "keys_spent",    "banned",       "stopping"};
  const auto index = static_cast<std::size_t>(reason);
  RINGWALL_CHECK(index < names.size());
  return names[index];
}

std::string_view ended_by(EndReason reason) {
  switch (reason) {
    case EndReason::client_closed:
    case EndReason::client_gone:
    case EndReason::client_reset:
      return "client";
    case EndReason::node_closed:
    case EndReason::node_gone:
      return "node";
    default:
      return "ringwall";
  }
}

}  // namespace ringwall::session
