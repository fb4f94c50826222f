#include <ringwall/quota/admission.h>

#include <ringwall/check.h>

#include <algorithm>
#include <limits>

namespace ringwall::quota {
namespace {

constexpr std::uint32_t out_of_reach = std::numeric_limits<std::uint32_t>::max();

Decision refuse(Reason reason) { return {.given = false, .reason = reason, .retry_after_ms = 0}; }

Decision refuse(Reason reason, WaitNs wait) {
  if (wait == never) return refuse(Reason::request_units);
  const std::uint64_t ms = wait / 1'000'000 + (wait % 1'000'000 != 0 ? 1 : 0);
  return {.given = false,
          .reason = reason,
          .retry_after_ms = static_cast<std::uint32_t>(std::min<std::uint64_t>(ms, out_of_reach))};
}

}  // namespace

bool Client::ban(std::uint64_t until_ns) {
  if (is_overflow()) return false;
  address_->ban(until_ns);
  return true;
}

Connection::Connection(Connection&& other) noexcept
    : client_(std::move(other.client_)),
      units_(std::exchange(other.units_, 0)),
      subscriptions_(std::exchange(other.subscriptions_, 0)),
      calls_in_flight_(std::exchange(other.calls_in_flight_, 0)),
      refusals_(std::exchange(other.refusals_, 0)) {}

void Connection::close() {
  if (!is_open()) return;
  for (const Handle* handle : {&client_.address_, &client_.network_}) {
    if (!*handle) continue;
    (*handle)->drop_subscriptions(subscriptions_);
    (*handle)->drop_connection();
  }
  subscriptions_ = 0;
  calls_in_flight_ = 0;
  client_ = Client();
}

void Admission::adopt(const Terms& terms) {
  terms_ = terms;
  machine_.keep_at_most(terms_.machine_slice_units);
}

Client Admission::client(const AddressBytes& address, std::uint64_t now_ns) {
  const AddressKeys keys = accounts_.keys.keys_of(address);
  Client client;
  client.address_ = accounts_.addresses.take(keys.address, terms_.address, now_ns);
  if (keys.network) client.network_ = accounts_.networks.take(*keys.network, terms_.network, now_ns);
  client.exempt_ =
      std::ranges::any_of(terms_.exempt, [&](const AddressRange& range) { return range.contains(address); });
  if (client.is_overflow() || client.network_.is_overflow()) ++counters_.overflow_clients;
  return client;
}

Decision Admission::open(Connection& connection, Client client, std::uint64_t now_ns, Peer peer) {
  RINGWALL_CHECK(!connection.is_open());
  RINGWALL_CHECK(client);
  const Decision decision = enter(client, now_ns, peer == Peer::client && !client.exempt_);
  if (!decision.given) return decision;
  connection.units_ = 0;
  connection.refusals_ = 0;
  connection.client_ = std::move(client);
  return decision;
}

Decision Admission::pass_on(Connection& connection, Client client, std::uint64_t now_ns) {
  RINGWALL_CHECK(connection.is_open());
  RINGWALL_CHECK(client);
  RINGWALL_CHECK(connection.subscriptions_ == 0);
  RINGWALL_CHECK(connection.calls_in_flight_ == 0);
  const Decision decision = enter(client, now_ns, !client.exempt_);
  if (!decision.given) return decision;
  --counters_.connections_given;  // it was counted when it was opened
  connection.close();
  connection.client_ = std::move(client);
  return decision;
}

// The places of one more connection, and its charge. None of them is kept if one is refused.
Decision Admission::enter(Client& client, std::uint64_t now_ns, bool limited) {
  Entry& address = *client.address_;
  Entry* network = client.network_ ? &*client.network_ : nullptr;
  const PeerTerms& of_address = terms_.address;
  const PeerTerms& of_network = terms_.network;

  if (const WaitNs wait = address.banned_for(now_ns); limited && wait > 0) return counted(refuse(Reason::banned, wait));
  if (!address.add_connection(limited ? of_address.connections_max : out_of_reach)) {
    return counted(refuse(Reason::address_connections));
  }
  if (network && !network->add_connection(limited ? of_network.connections_max : out_of_reach)) {
    address.drop_connection();
    return counted(refuse(Reason::network_connections));
  }
  const auto leave = [&](Reason reason, WaitNs wait) {
    if (network) network->drop_connection();
    address.drop_connection();
    return counted(refuse(reason, wait));
  };
  if (limited) {
    WaitNs wait = address.new_connections().charge(of_address.new_connections, 1, now_ns);
    if (wait != given) return leave(Reason::address_new_connections, wait);
    if (network) wait = network->new_connections().charge(of_network.new_connections, 1, now_ns);
    if (wait != given) {
      address.new_connections().give_back(1);
      return leave(Reason::network_new_connections, wait);
    }
  }
  ++counters_.connections_given;
  return {};
}

Decision Admission::charge(Connection& connection, const Request& request, std::uint64_t now_ns) {
  const Decision decision = try_charge(connection, request, now_ns);
  if (!decision.given) give_up(connection, decision);
  return decision;
}

void Admission::give_up(Connection& connection, const Decision& decision) {
  if (connection.refusals_ < out_of_reach) ++connection.refusals_;
  (void)counted(decision);
}

Decision Admission::try_charge(Connection& connection, const Request& request, std::uint64_t now_ns) {
  RINGWALL_CHECK(connection.is_open());
  RINGWALL_CHECK(request.answers <= request.calls);
  RINGWALL_CHECK(request.subscriptions <= request.calls);
  Client& client = connection.client_;
  const Decision decision = client.exempt_ ? take_exempt(client, request) : take(connection, request, now_ns);
  if (!decision.given) return decision;
  connection.calls_in_flight_ += request.answers;
  connection.subscriptions_ += request.subscriptions;
  count_given(client, request);
  return decision;
}

Decision Admission::charge(Client& client, const Request& request, std::uint64_t now_ns) {
  RINGWALL_CHECK(client);
  RINGWALL_CHECK(request.subscriptions == 0);
  if (!client.exempt_) {
    const Decision decision =
        request.calls > terms_.batch_calls_max ? refuse(Reason::batch_calls) : take_units(client, request, now_ns);
    if (!decision.given) return counted(decision);
  }
  count_given(client, request);
  return {};
}

Decision Admission::take(Connection& connection, const Request& request, std::uint64_t now_ns) {
  // A batch of more than may be in flight at all is never given either.
  if (request.calls > terms_.batch_calls_max || request.answers > terms_.calls_in_flight_max) {
    return refuse(Reason::batch_calls);
  }
  if (connection.calls_in_flight_ + std::uint64_t{request.answers} > terms_.calls_in_flight_max) {
    return refuse(Reason::calls_in_flight);
  }
  if (connection.subscriptions_ + std::uint64_t{request.subscriptions} > terms_.connection_subscriptions_max) {
    return refuse(Reason::connection_subscriptions);
  }
  const WaitNs wait = terms_.connection_units.charge(connection.units_, request.units, now_ns);
  if (wait != given) return refuse(Reason::connection_units, wait);

  Client& client = connection.client_;
  Decision decision = take_subscriptions(client, request.subscriptions, terms_.address.subscriptions_max,
                                         terms_.network.subscriptions_max);
  if (decision.given) {
    decision = take_units(client, request, now_ns);
    if (!decision.given) drop_subscriptions(client, request.subscriptions);
  }
  if (!decision.given) Pace::give_back(connection.units_, request.units);
  return decision;
}

Decision Admission::take_exempt(Client& client, const Request& request) {
  return take_subscriptions(client, request.subscriptions, out_of_reach, out_of_reach);
}

Decision Admission::take_units(Client& client, const Request& request, std::uint64_t now_ns) {
  Entry& address = *client.address_;
  if (const WaitNs wait = address.banned_for(now_ns); wait > 0) return refuse(Reason::banned, wait);
  WaitNs wait = address.units().charge(terms_.address.units, request.units, now_ns);
  if (wait != given) return refuse(Reason::address_units, wait);
  if (client.network_) {
    wait = client.network_->units().charge(terms_.network.units, request.units, now_ns);
    if (wait != given) {
      address.units().give_back(request.units);
      return refuse(Reason::network_units, wait);
    }
  }
  wait = machine_.charge(terms_.machine_units, terms_.machine_slice_units, request.units, now_ns);
  if (wait != given) {
    if (client.network_) client.network_->units().give_back(request.units);
    address.units().give_back(request.units);
    return refuse(Reason::machine_units, wait);
  }
  return {};
}

Decision Admission::take_subscriptions(Client& client, std::uint32_t count, std::uint32_t address_max,
                                       std::uint32_t network_max) {
  if (count == 0) return {};
  if (!client.address_->add_subscriptions(count, address_max)) return refuse(Reason::address_subscriptions);
  if (client.network_ && !client.network_->add_subscriptions(count, network_max)) {
    client.address_->drop_subscriptions(count);
    return refuse(Reason::network_subscriptions);
  }
  return {};
}

void Admission::drop_subscriptions(Client& client, std::uint32_t count) {
  if (count == 0) return;
  client.address_->drop_subscriptions(count);
  if (client.network_) client.network_->drop_subscriptions(count);
}

void Admission::owe(Connection& connection, std::uint64_t units, std::uint64_t now_ns) {
  RINGWALL_CHECK(connection.is_open());
  if (!connection.client_.exempt_) terms_.connection_units.owe(connection.units_, units, now_ns);
  owe(connection.client_, units, now_ns);
}

void Admission::owe(Client& client, std::uint64_t units, std::uint64_t now_ns) {
  RINGWALL_CHECK(client);
  counters_.units_owed += units;
  if (client.exempt_) return;
  client.address_->units().owe(terms_.address.units, units, now_ns);
  if (client.network_) client.network_->units().owe(terms_.network.units, units, now_ns);
  accounts_.machine.units().owe(terms_.machine_units, units, now_ns);
}

void Admission::answered(Connection& connection, std::uint32_t calls) {
  RINGWALL_CHECK(connection.calls_in_flight_ >= calls);
  connection.calls_in_flight_ -= calls;
}

void Admission::unsubscribed(Connection& connection, std::uint32_t count) {
  RINGWALL_CHECK(connection.subscriptions_ >= count);
  connection.subscriptions_ -= count;
  drop_subscriptions(connection.client_, count);
}

void Admission::give_back_calls(Connection& connection) {
  answered(connection, connection.calls_in_flight_);
  unsubscribed(connection, connection.subscriptions_);
}

void Admission::count_given(const Client& client, const Request& request) {
  ++counters_.requests_given;
  counters_.calls_given += request.calls;
  counters_.units_given += request.units;
  if (client.exempt_) counters_.units_exempt += request.units;
}

Decision Admission::counted(Decision decision) {
  ++counters_.refused[static_cast<std::size_t>(decision.reason)];
  return decision;
}

}  // namespace ringwall::quota
