// totals.h: what the shards have done in their lives, told when they end.
//
// A value. add() is called on a shard's thread while the shard is there, add() of another's totals afterwards.
#pragma once

#include <ringwall/shard/shard.h>

#include <cstdint>
#include <map>
#include <string>

namespace ringwall::server {

class Totals {
 public:
  void add(shard::Shard& shard);
  void add(const Totals& other);

  // "stopped: 3 sessions, 2 client_closed, ..."
  [[nodiscard]] std::string sessions_text() const;
  // "not offered here: eth_call 12 times, ..."; empty: nothing was asked for in vain.
  [[nodiscard]] std::string unknown_text() const;
  // "guard: calls=12 units=60 unsafe=1 ... refused.address_units=3", for people and programs alike.
  [[nodiscard]] std::string guard_text() const;

 private:
  std::uint64_t sessions_ = 0;
  session::EndCounters ended_{};
  std::uint64_t node_limit_reached_ = 0;
  std::uint64_t hoarders_dropped_ = 0;
  std::uint64_t memory_waits_ = 0;
  session::GuardCounters guard_{};
  quota::Counters quota_{};
  std::map<std::string, std::uint64_t> unknown_;
};

}  // namespace ringwall::server
