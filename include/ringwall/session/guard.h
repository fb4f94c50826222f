// guard.h: what becomes of a client's JSON-RPC message: it is read, decided and charged, in one answer.
//
// One Guard a shard, used on its thread; what all shards share is in Rules, which the server makes before them and
// which outlives them. A Ruling lends the guard's scratch memory and is valid until the next judge(). No memory is
// allocated for a message, but for a name that was not seen before.
#pragma once

#include <ringwall/config/config.h>
#include <ringwall/quota/admission.h>
#include <ringwall/rpc/inspect.h>
#include <ringwall/rpc/method_table.h>
#include <ringwall/rpc/refusal.h>
#include <ringwall/session/address_set.h>
#include <ringwall/session/counters.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ringwall::session {

[[nodiscard]] rpc::MethodSettings method_settings(const config::Methods& row);
[[nodiscard]] std::shared_ptr<const rpc::MethodTable> make_methods(const config::Methods& row);
// As the quota takes them: none in reach where limits.enabled is off.
[[nodiscard]] quota::Limits quota_limits(const config::Limits& row);

// Made of a configuration that load() has passed.
struct Rules {
  Rules(const config::Config& config, const quota::Seed& seed, std::uint64_t now_ns);

  const std::shared_ptr<const rpc::MethodTable> methods;  // of the start: see Guard::adopt()
  quota::Accounts accounts;
  const quota::Terms terms;                       // of the start
  std::atomic<std::size_t> connections = 0;       // of all shards
  std::atomic<std::uint64_t> one_address_ns = 0;  // when one that held nearly all of them was last told of
};

// Who pays for a message: a connection, or another client whose request came over it (a POST through a trusted proxy).
struct Payer {
  quota::Connection& connection;
  quota::Client* client = nullptr;
  std::uint64_t* unpaid_bytes = nullptr;  // of its messages, less than a unit's worth; null: bytes cost nothing
};

struct Ruling {
  enum class Kind : std::uint8_t {
    forward,       // to the node
    answer,        // with `reply`; nothing goes to the node. An empty reply: nothing is said (a notification)
    tell_methods,  // the call is rpc_methods, and `calls` its one
  };
  Kind kind = Kind::answer;
  bool over_rate = false;  // refused for want of `retry_after_ms`
  bool may_wait = false;   // for that alone, and not answered yet: see settle()
  bool is_unread = false;  // of one that may wait: for its bytes, before anything of it was read
  std::uint32_t retry_after_ms = 0;
  quota::Request request{};    // what its calls cost
  quota::Decision decision{};  // of one that may wait, or was refused for a limit
  std::string_view reply;      // JSON text
  bool is_batch = false;
  std::span<const rpc::Call> calls;  // as many as decisions; empty for what could not be read
  std::span<const rpc::Decision> decisions;
};

// Over a shard's life.
struct GuardCounters {
  std::uint64_t messages = 0;      // judged
  std::uint64_t calls = 0;         // of those that were forwarded
  std::uint64_t unreadable = 0;    // messages: -32700, or -32600 as a whole; but for batches that are too long
  std::uint64_t unsafe_calls = 0;  // denied, and so the next two
  std::uint64_t not_offered = 0;
  std::uint64_t unknown_unnamed = 0;  // of those, of names beyond Guard::unknown_names_max
  std::uint64_t invalid = 0;
  std::uint64_t batches_refused = 0;     // for the sake of a call, or of more calls than are ever read
  std::uint64_t connections_denied = 0;  // by limits.allow, limits.deny and bans
  std::uint64_t requests_denied = 0;     // by the same, through a trusted proxy
  std::uint64_t handshakes_refused = 0;  // by limits.handshakes_max
  std::uint64_t proxied_refused = 0;     // upgrades through a trusted proxy, at a limit of connections
};

class Guard {
 public:
  // Names that are counted one by one; the rest are counted together.
  static constexpr std::size_t unknown_names_max = 64;

  // Of `config` the limits are looked at again for each message: it outlives the guard, and may change.
  Guard(Rules& rules, const config::Config& config);

  // After a reload: what holds from the next message on, also of connections that are open. Terms as Admission::adopt()
  // takes them.
  void adopt(std::shared_ptr<const rpc::MethodTable> methods, const quota::Terms& terms);

  // Memory of the scratch, in bytes, from the start on.
  [[nodiscard]] static std::size_t bytes_held();

  // Over a WebSocket (its answers are counted by CallTable) or by POST, which does not wait.
  [[nodiscard]] Ruling judge(std::span<const char> text, const Payer& payer, bool is_websocket, std::uint64_t now_ns);
  // The same for a message whose bytes are paid for, by `more_units` of its calls' charge.
  [[nodiscard]] Ruling judge_paid(std::span<const char> text, const Payer& payer, bool is_websocket,
                                  std::uint64_t more_units, std::uint64_t now_ns);
  // What becomes of a message that was to wait, by the last decision on its request. If a reload has taken one of its
  // methods away meanwhile, what it holds is given back and it is denied.
  [[nodiscard]] Ruling settle(std::span<const char> text, bool is_unread, quota::Connection& connection,
                              const quota::Decision& decision);
  // The answer to the call of a ruling to tell_methods. Valid until the next judge().
  [[nodiscard]] std::string_view tell(const Ruling& ruling, std::string_view result);

  // Addresses that are refused for a time, from here on until others are given; whoever gives them sees to the time.
  // Sessions that are there end by Service::end_banned().
  void set_bans(std::shared_ptr<const AddressSet> bans) { bans_ = std::move(bans); }

  // Whether limits.allow, limits.deny and the bans let this address in.
  [[nodiscard]] bool lets_in(const quota::AddressBytes& address) const;

  // Methods that were asked for and are not offered here, with how often; at most unknown_names_max.
  [[nodiscard]] const std::map<std::string, std::uint64_t, std::less<>>& unknown_names() const { return unknown_; }
  // Those of them that the operator has not heard of, quoted, with commas; empty: none.
  [[nodiscard]] std::string new_unknown_names() const;
  void forget_new_unknown_names() { new_unknown_.clear(); }

  [[nodiscard]] const rpc::MethodTable& methods() const { return *methods_; }
  [[nodiscard]] Rules& rules() { return rules_; }
  quota::Admission admission;
  GuardCounters counters{};
  CallCounters call_counters{};

 private:
  [[nodiscard]] quota::Decision charge_or_wait(const Payer& payer, bool is_websocket, Ruling& ruling,
                                               std::uint64_t now_ns);
  [[nodiscard]] bool decide(const rpc::Inspection& read);
  [[nodiscard]] Ruling deny(const rpc::Inspection& read, Ruling ruling);
  [[nodiscard]] Ruling price(const rpc::Inspection& read, bool is_websocket) const;
  [[nodiscard]] Ruling pass(Ruling ruling);
  void count_denied(const rpc::Call& call, const rpc::Decision& decision);
  void count_calls(Verdict verdict, const Ruling& ruling);
  [[nodiscard]] bool asks_methods(const Ruling& ruling) const;
  void count_unknown(std::string_view method);
  [[nodiscard]] quota::Decision charge(const Payer& payer, const quota::Request& request, std::uint64_t now_ns);
  [[nodiscard]] Ruling refuse(const Ruling& ruling, const quota::Decision& decision);
  [[nodiscard]] std::string_view write_refusals(const Ruling& ruling, std::span<const rpc::Reason> reasons,
                                                std::uint32_t retry_after_ms);

  Rules& rules_;
  std::shared_ptr<const rpc::MethodTable> methods_;
  const config::Limits& limits_;
  rpc::Inspector inspector_;
  std::vector<rpc::Decision> decisions_;
  std::vector<rpc::Reason> reasons_;
  std::vector<char> out_;
  std::map<std::string, std::uint64_t, std::less<>> unknown_;
  std::vector<const std::string*> new_unknown_;
  std::shared_ptr<const AddressSet> bans_;
};

}  // namespace ringwall::session
