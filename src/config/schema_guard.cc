// The rows of the guard: which methods, and how much of them.
#include <ringwall/config/schema.h>
#include <ringwall/limits.h>

#include "rows.h"

namespace ringwall::config {
namespace {

constexpr std::uint64_t places_max = 1'000'000'000;

template <typename S>
Field<S> per_second(std::string_view name, std::uint64_t S::* member, std::string_view help) {
  return number(name, member, Unit::none, 0, quota::units_per_second_max, help, "none");
}

template <typename S>
Field<S> burst(std::string_view name, std::uint64_t S::* member, std::string_view help) {
  return number(name, member, Unit::none, 0, quota::burst_units_max, help, "none");
}

template <typename S>
Field<S> units(std::string_view name, std::uint32_t S::* member, std::string_view help) {
  return number(name, member, Unit::none, 0, 1'000'000, help);
}

}  // namespace

template <>
std::span<const Field<Methods>> fields() {
  using S = Methods;
  static const std::array rows{
      choice("policy", &S::policy,
             "safe: the known safe methods and those in allow. open: all but the known unsafe ones. all: every method; "
             "whoever comes can reconfigure the node."),
      text("allow", &S::allow, method_pattern, "Methods that may be called beside those, by name or by prefix.",
           "[\"eth_*\", \"net_version\"]"),
      text("deny", &S::deny, method_pattern, "Methods that may not be called, whatever else is said.",
           "[\"state_getPairs\"]"),
      units("cheap_units", &S::cheap_units, "What a call costs that the node answers from memory."),
      units("normal_units", &S::normal_units, "What most calls cost, and all of unknown methods."),
      units("heavy_units", &S::heavy_units, "What a call costs that scans or runs the runtime."),
      text("costs", &S::costs, method_cost, "What some methods cost instead, by name or by prefix.",
           "[\"state_getMetadata=100\", \"eth_*=10\"]"),
      text("runtime_apis", &S::runtime_apis, method_pattern,
           "The functions of the runtime that state_call and its kin may run. Without any: all.",
           "[\"Core_version\", \"AccountNonceApi_*\"]"),
  };
  return rows;
}

template <>
std::span<const Field<Limits>> fields() {
  using S = Limits;
  static const std::array rows{
      fixed(
          number("message_bytes_max", &S::message_bytes_max, Unit::bytes, kib, gib,
                 "A client's WebSocket message; a longer one is closed with 1009. The node's answers have no bound.")),
      fixed(number("body_bytes_max", &S::body_bytes_max, Unit::bytes, kib, gib,
                   "A client's HTTP body; a longer one is answered 413.")),
      number("head_bytes_max", &S::head_bytes_max, Unit::bytes, kib, http::head_bytes_max,
             "The head of a request or a response; a longer one is answered 431 or 502."),
      choice("enabled", &S::enabled, "off: the limits below are not held, but all is counted."),
      choice(
          "action", &S::action,
          "What becomes of a call over a rate. reject: it is answered -32999 (POST: 429) with the time to wait. delay: "
          "one message is kept back and no more is read of that client."),
      milliseconds("delay_ms_max", &S::delay_ms_max, "With delay: for how long at most; then it is rejected."),
      number("close_after", &S::close_after, Unit::none, 0, 1'000'000'000,
             "Messages refused for a limit after which a WebSocket is closed with 1008.", "none"),
      per_second("address_units_per_s", &S::address_units_per_s, "Units of one address."),
      burst("address_units_burst", &S::address_units_burst, "Units of one address at once, after a silence."),
      number("address_connections_max", &S::address_connections_max, Unit::none, 0, places_max,
             "Open connections of one address.", "none"),
      per_second("address_new_connections_per_s", &S::address_new_connections_per_s, "New connections of one address."),
      burst("address_new_connections_burst", &S::address_new_connections_burst,
            "New connections of one address at once."),
      number("address_subscriptions_max", &S::address_subscriptions_max, Unit::none, 0, places_max,
             "Live subscriptions of one address.", "none"),
      per_second("network_units_per_s", &S::network_units_per_s, "Units of one network."),
      burst("network_units_burst", &S::network_units_burst, "Units of one network at once."),
      number("network_connections_max", &S::network_connections_max, Unit::none, 0, places_max,
             "Open connections of one network.", "none"),
      per_second("network_new_connections_per_s", &S::network_new_connections_per_s, "New connections of one network."),
      burst("network_new_connections_burst", &S::network_new_connections_burst,
            "New connections of one network at once."),
      number("network_subscriptions_max", &S::network_subscriptions_max, Unit::none, 0, places_max,
             "Live subscriptions of one network.", "none"),
      per_second("connection_units_per_s", &S::connection_units_per_s, "Units of one connection."),
      burst("connection_units_burst", &S::connection_units_burst, "Units of one connection at once."),
      number("connection_subscriptions_max", &S::connection_subscriptions_max, Unit::none, 0, places_max,
             "Live subscriptions of one connection.", "none"),
      number("connection_calls_in_flight_max", &S::connection_calls_in_flight_max, Unit::none, 0, places_max,
             "Calls of one connection that the node has not answered yet.", "none"),
      number("batch_calls_max", &S::batch_calls_max, Unit::none, 0, rpc::batch_calls_max,
             "Calls in one batch. none: as many as are ever read.", "none"),
      per_second("machine_units_per_s", &S::machine_units_per_s, "Units of all clients together."),
      burst("machine_units_burst", &S::machine_units_burst, "Units of all clients together at once."),
      number("handshakes_max", &S::handshakes_max, Unit::none, 0, places_max,
             "TLS handshakes that a shard has under way; for one more the oldest is closed.", "none"),
      number("request_bytes_per_unit", &S::request_bytes_per_unit, Unit::bytes, 0, gib,
             "So many bytes of messages and bodies cost a unit more, before they are read.", "none"),
      number("answer_bytes_per_unit", &S::answer_bytes_per_unit, Unit::bytes, 0, gib,
             "So many bytes of answers cost a unit more, charged afterwards.", "none"),
      Field<S>{{.name = "exempt",
                .help = "Clients that are counted and never refused for a limit.",
                .example = "[\"10.0.0.0/8\"]"},
               &S::exempt},
      Field<S>{{.name = "allow",
                .help = "If there are any, nobody else may connect.",
                .example = "[\"192.0.2.0/24\", \"2001:db8::/32\"]"},
               &S::allow},
      Field<S>{{.name = "deny", .help = "Who may not connect.", .example = "[\"198.51.100.7/32\"]"}, &S::deny},
      fixed(number("ipv4_address_bits", &S::ipv4_address_bits, Unit::none, 1, 32,
                   "How much of an IPv4 address is one client's.")),
      fixed(number("ipv6_address_bits", &S::ipv6_address_bits, Unit::none, 1, 128,
                   "How much of an IPv6 address is one client's.")),
      fixed(number("ipv4_network_bits", &S::ipv4_network_bits, Unit::none, 0, 31,
                   "How much of an IPv4 address is a network's.", "none")),
      fixed(number("ipv6_network_bits", &S::ipv6_network_bits, Unit::none, 0, 127,
                   "How much of an IPv6 address is a network's.", "none")),
      fixed(number(
          "address_entries", &S::address_entries, Unit::none, quota::table_entries_min, quota::table_entries_max,
          "Addresses that are known at once, 64 bytes each; a power of two. Who finds no room shares one entry.")),
      fixed(number("network_entries", &S::network_entries, Unit::none, quota::table_entries_min,
                   quota::table_entries_max, "The same for networks.")),
  };
  return rows;
}

template <>
std::span<const std::pair<std::string_view, rpc::Policy>> words() {
  static constexpr std::array<std::pair<std::string_view, rpc::Policy>, 3> rows{
      {{"safe", rpc::Policy::safe}, {"open", rpc::Policy::open}, {"all", rpc::Policy::all}}};
  return rows;
}

template <>
std::span<const std::pair<std::string_view, Switch>> words() {
  static constexpr std::array<std::pair<std::string_view, Switch>, 2> rows{{{"on", Switch::on}, {"off", Switch::off}}};
  return rows;
}

template <>
std::span<const std::pair<std::string_view, OverRate>> words() {
  static constexpr std::array<std::pair<std::string_view, OverRate>, 2> rows{
      {{"reject", OverRate::reject}, {"delay", OverRate::delay}}};
  return rows;
}

}  // namespace ringwall::config
