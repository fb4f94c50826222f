// admission.h: whether a connection may be opened and a request may go to the node: all limits in one answer.
//
// A request is charged to its connection, its address, its network and the machine, in this order: all of them or none.
// What one gave is given back when a later one refuses. Requests that were refused cost nothing.
//
//   quota::Connection connection;                                     // a member of the session
//   admission.open(connection, admission.client(address, now), now);  // at accept; refused: close
//   admission.charge(connection, {.units = 5}, now);                  // each request or batch
//   admission.answered(connection, 1);                                // each answer
//   ~Connection()                                                     // gives back all that it holds
//
// Owner: the shard; what it shares with others is in Accounts. The clock is the caller's, in ns, and does not go back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <ringwall/quota/address_key.h>
#include <ringwall/quota/decision.h>
#include <ringwall/quota/limits.h>
#include <ringwall/quota/machine.h>
#include <ringwall/quota/table.h>
#include <ringwall/quota/terms.h>

namespace ringwall::quota {

// What all shards share. Owner: the server, outliving every Admission, Client and Connection. Any thread.
struct Accounts {
  // `layout` has passed check().
  Accounts(const Seed& seed, const Layout& layout)
      : keys(seed, layout), addresses(layout.address_entries), networks(layout.network_entries) {}

  // Known before the first client comes.
  [[nodiscard]] std::size_t bytes() const { return addresses.bytes() + networks.bytes(); }

  const KeyMaker keys;
  Table addresses;
  Table networks;
  Machine machine;
};

// Whose request it is: pins the entries of an address and its network. A connection holds one; a POST that came through
// a trusted proxy takes one of its own for as long as its charge lasts.
class Client {
 public:
  Client() = default;

  [[nodiscard]] bool is_exempt() const { return exempt_; }
  [[nodiscard]] bool is_overflow() const { return address_.is_overflow(); }
  // Open connections and live subscriptions of the address, over all shards.
  [[nodiscard]] std::uint32_t connections() const { return address_->connections(); }
  [[nodiscard]] std::uint32_t subscriptions() const { return address_->subscriptions(); }
  // Its entries will be charged soon: what comes before hides the wait for memory (bench/micro: 200 ns of 900).
  void prefetch() const {
    __builtin_prefetch(&*address_, 1);
    if (network_) __builtin_prefetch(&*network_, 1);
  }
  // Until then the address is refused all. False for who shares the overflow entry: others would be banned with it.
  bool ban(std::uint64_t until_ns);

  explicit operator bool() const { return static_cast<bool>(address_); }

 private:
  friend class Admission;
  friend class Connection;

  Handle address_;
  Handle network_;  // empty: none for this family
  bool exempt_ = false;
};

struct Request {
  std::uint64_t units = 0;
  std::uint32_t calls = 1;          // more than one: a batch
  std::uint32_t answers = 1;        // of the calls, those that the node will answer: all but notifications
  std::uint32_t subscriptions = 0;  // of the calls, those that will start one if the node agrees
};

// The quota's part of one connection: open exactly while it has a client.
class Connection {
 public:
  Connection() = default;
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&&) = delete;
  ~Connection() { close(); }

  // Gives back the place, the subscriptions and the handles. Debts stay with the address.
  void close();
  [[nodiscard]] bool is_open() const { return static_cast<bool>(client_); }
  [[nodiscard]] Client& client() { return client_; }
  [[nodiscard]] const Client& client() const { return client_; }
  [[nodiscard]] std::uint32_t subscriptions() const { return subscriptions_; }
  [[nodiscard]] std::uint32_t calls_in_flight() const { return calls_in_flight_; }
  [[nodiscard]] std::uint32_t refusals() const { return refusals_; }

 private:
  friend class Admission;

  Client client_;
  std::uint64_t units_ = 0;  // the connection's own meter
  std::uint32_t subscriptions_ = 0;
  std::uint32_t calls_in_flight_ = 0;
  std::uint32_t refusals_ = 0;
};

class Admission {
 public:
  // In whose name a connection comes. A trusted proxy's is not limited at accept: its clients are, when they are known.
  enum class Peer : std::uint8_t { client, trusted_proxy };

  Admission(Accounts& accounts, const Terms& terms) : accounts_(accounts), machine_(accounts.machine), terms_(terms) {}
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  // After a reload: terms that next_terms() made of those given before.
  void adopt(const Terms& terms);

  [[nodiscard]] Client client(const AddressBytes& address, std::uint64_t now_ns);

  // A new connection. Given: `connection` is open and holds `client`. Refused: it is as before, and `client` is gone.
  [[nodiscard]] Decision open(Connection& connection, Client client, std::uint64_t now_ns, Peer peer = Peer::client);
  // An open connection turns out to be another's (an upgrade through a trusted proxy): it is a new connection of that
  // one, and none of the former. Refused: it still is the former's. No subscription is live and no call in flight.
  [[nodiscard]] Decision pass_on(Connection& connection, Client client, std::uint64_t now_ns);

  // A request or a batch of the connection's own client. Given: its calls are in flight, its subscriptions count.
  [[nodiscard]] Decision charge(Connection& connection, const Request& request, std::uint64_t now_ns);
  // The same for one that is tried again when it is refused: that is no refusal yet.
  [[nodiscard]] Decision try_charge(Connection& connection, const Request& request, std::uint64_t now_ns);
  // One that is tried no more.
  void give_up(Connection& connection, const Decision& decision);
  // A request of another client than the connection's: its address, its network and the machine are charged. It can't
  // subscribe (there is no subscription over POST).
  [[nodiscard]] Decision charge(Client& client, const Request& request, std::uint64_t now_ns);
  // What turns out to have been used, such as the bytes of an answer. Never refused: the next request waits for it.
  void owe(Connection& connection, std::uint64_t units, std::uint64_t now_ns);
  void owe(Client& client, std::uint64_t units, std::uint64_t now_ns);

  // Calls that are not in flight any more.
  void answered(Connection& connection, std::uint32_t calls);
  // Subscriptions that ended, or that the node did not agree to.
  void unsubscribed(Connection& connection, std::uint32_t count);
  // All that the node does for it has ended; its place is still taken.
  void give_back_calls(Connection& connection);

  // True once the connection was refused `close_after` requests: 1008.
  [[nodiscard]] bool is_to_be_closed(const Connection& connection) const {
    return connection.refusals_ >= terms_.close_after;
  }
  [[nodiscard]] const Terms& terms() const { return terms_; }
  [[nodiscard]] const Counters& counters() const { return counters_; }

 private:
  [[nodiscard]] Decision enter(Client& client, std::uint64_t now_ns, bool limited);
  [[nodiscard]] Decision take(Connection& connection, const Request& request, std::uint64_t now_ns);
  [[nodiscard]] static Decision take_exempt(Client& client, const Request& request);
  [[nodiscard]] Decision take_units(Client& client, const Request& request, std::uint64_t now_ns);
  [[nodiscard]] static Decision take_subscriptions(Client& client, std::uint32_t count, std::uint32_t address_max,
                                                   std::uint32_t network_max);
  static void drop_subscriptions(Client& client, std::uint32_t count);
  void count_given(const Client& client, const Request& request);
  Decision counted(Decision decision);

  Accounts& accounts_;
  MachineShare machine_;
  Terms terms_;
  Counters counters_;
};

}  // namespace ringwall::quota
