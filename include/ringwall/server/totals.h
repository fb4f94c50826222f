// totals.h: what the shards have done in their lives, told when they end.
//
// A value. add() is called on a shard's thread while the shard is there, add() of another's totals afterwards.
#pragma once

#include <ringwall/log/line.h>
#include <ringwall/shard/shard.h>

#include <cstdint>
#include <map>
#include <string>

namespace ringwall::server {

class Totals {
 public:
  void add(shard::Shard& shard);
  void add(const Totals& other);

  // In a line each: the sessions ("stopped sessions=3 ended_client_closed=2 ..."), the guard ("guard messages=14
  // calls=12 units=60 ... refused_address_units=3"), and what was asked for in vain, if anything was.
  void tell(const log::Sink& sink) const;

 private:
  void tell_sessions(const log::Sink& sink) const;
  void tell_guard(const log::Sink& sink) const;
  void tell_unknown(const log::Sink& sink) const;

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
