// call_table.h: the calls of one WebSocket that the node has not answered, and the subscriptions that it serves.
//
// Owner: one relay, on its shard's thread. No I/O, the clock is the caller's, nothing is charged: the caller gives back
// what answer() says has ended, and at the end of the connection what calls() and subscriptions() still say. Idle, at
// most bytes_idle_max stay allocated; at most bytes_held_max().
//
// The client chooses the ids, so what it cannot be trusted with is never concluded from them: whatever it sends, and in
// whatever order the node answers, calls() and subscriptions() are not less than what the node has. What cannot be
// told stays counted until the connection ends:
// - of calls of one id at the same time, of calls with id null, and of any call while one is untracked, an answer tells
//   only that one call fewer is in flight;
// - a batch's answer is not looked into: it ends the smallest batch in flight, and its subscribes stay counted;
// - a call whose answer is not understood.
// One thing the node must grant: an error with id null, when no call with id null and no untracked one is in flight,
// answers a batch. That holds while it takes every message of at most message_bytes_tracked_max.
//
// Source: JSON-RPC 2.0; jsonrpsee (server/src/transport/ws.rs, core/src/server/rpc_module.rs), which answers each call
// once, a subscribe before its notifications, and `true` exactly to the unsubscribe that ended a subscription.
#pragma once

#include <ringwall/keyed_hash.h>
#include <ringwall/rpc/answer.h>
#include <ringwall/rpc/call.h>
#include <ringwall/rpc/method_table.h>

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace ringwall::session {

class CallTable {
 public:
  // Ids in flight at once. The calls beyond are untracked.
  static constexpr std::size_t ids_max = 4096;
  // A node that takes no message of that size answers it with id null. Its calls are untracked.
  static constexpr std::size_t message_bytes_tracked_max = 1 << 20;
  // Batches in flight at once. Those beyond stay counted until the connection ends.
  static constexpr std::size_t batches_max = 4096;
  // Live subscriptions that are remembered; the node's own bound is 1,024. As above.
  static constexpr std::size_t subscriptions_max = 4096;

  struct Ended {
    std::uint32_t calls = 0;          // no longer in flight
    std::uint32_t subscriptions = 0;  // no longer asked for, or no longer live
    // Of a call or a subscribe that was alone under its id.
    bool is_timed = false;
    rpc::CostClass cost = rpc::CostClass::normal;
    std::uint64_t latency_ns = 0;  // from add() on, to tick_ns
  };
  static constexpr std::uint64_t tick_ns = 1 << 16;  // 2^32 of them are three days

  // The seed is the shard's, and outlives the table.
  explicit CallTable(const HashSeed& seed) : seed_(&seed) {}

  // A call that is not in a batch and goes to the node in a message of so many bytes. A notification changes nothing:
  // it is never answered.
  void add(const rpc::Call& call, const rpc::Decision& decision, std::size_t message_bytes, std::uint64_t now_ns);

  // A batch that goes to the node: how many of its calls have an id, and how many of those subscribe. One of
  // notifications alone changes nothing.
  void add_batch(std::uint32_t calls, std::uint32_t subscribes);

  // Each message of the node, in order.
  [[nodiscard]] Ended answer(const rpc::Answer& answer, std::uint64_t now_ns);

  std::uint32_t calls() const { return calls_; }                  // in flight, or may be
  std::uint32_t subscriptions() const { return subscriptions_; }  // asked for or live, or may be
  std::uint32_t untracked() const { return untracked_; }          // of calls()

  // On the heap.
  std::size_t bytes_held() const;
  static constexpr std::size_t bytes_idle_max = 128;
  static constexpr std::size_t bytes_held_max() {
    // A list may have grown to twice its size.
    return slots_max * sizeof(Entry) + 2 * batches_max * sizeof(std::uint32_t) + 2 * subscriptions_max * sizeof(Live);
  }

 private:
  enum class Kind : std::uint8_t {
    call,  // or an unsubscribe that names no subscription
    subscribe,
    unsubscribe,
    unclear,  // one of several, or with id null
  };

  // The calls of one id. Only an `unclear` one has more than one.
  struct Entry {
    std::uint64_t id = 0;                      // hash
    std::uint32_t subscription_or_since = 0;   // of an unsubscribe a hash; of the others when it went, in ticks
    rpc::MethodIndex method = rpc::no_method;  // see Live
    Kind kind : 4 = Kind::call;
    rpc::CostClass cost : 4 = rpc::CostClass::normal;
    std::uint8_t calls = 0;  // 0: a free slot
  };

  // Half of a hash tells a client's subscriptions apart well enough: two that share it count the same.
  struct Live {
    std::uint32_t subscription;
    rpc::MethodIndex method;  // the subscribe that its unsubscribe names as its pair: one for all aliases
  };

  static constexpr std::size_t slots_min = 8;
  static constexpr std::size_t slots_kept_max = 32;      // while a call is in flight
  static constexpr std::size_t slots_max = 2 * ids_max;  // at most three quarters are taken

  static_assert(sizeof(Entry) == 16 && sizeof(Live) == 8);
  static_assert(bytes_idle_max == slots_min * sizeof(Entry));

  std::uint64_t hash(std::string_view text) const { return keyed_hash(*seed_, text); }
  std::uint32_t subscription_hash(std::string_view id) const { return static_cast<std::uint32_t>(hash(id)); }
  static std::uint32_t ticks(std::uint64_t now_ns) { return static_cast<std::uint32_t>(now_ns / tick_ns); }
  Entry make_entry(const rpc::Call& call, const rpc::Decision& decision, std::uint64_t now_ns) const;
  bool track(const Entry& call);
  Entry* find(std::uint64_t id);
  void place(const Entry& entry);
  void remove(Entry& entry);
  void resize(std::size_t slots);
  void make_room();

  Ended end_call(const rpc::Answer& answer, std::uint64_t now_ns);
  Ended end_unknown_call(const rpc::Answer& answer);
  Ended end_batch();
  std::uint32_t subscriptions_ended_by(const rpc::Answer& answer, const Entry& call);
  std::uint32_t end_live(std::uint32_t subscription, rpc::MethodIndex method);

  const HashSeed* seed_;
  std::vector<Entry> slots_;  // a power of two of them, open addressing, or none
  std::vector<Live> live_;
  std::vector<std::uint32_t> batches_;  // their calls; a heap, the smallest first
  std::uint32_t ids_ = 0;               // slots that are taken
  std::uint32_t calls_ = 0;
  std::uint32_t subscriptions_ = 0;
  std::uint32_t untracked_ = 0;
  std::uint16_t burst_ids_ = 0;  // at most at once, since there were none
  bool is_misled_ = false;       // for good: no answer tells more than that one call fewer is in flight
};

}  // namespace ringwall::session
