// report.h: all shards' counters at one moment, as Prometheus text and as JSON.
//
// A shard that did not answer keeps what it said last, so that no counter goes back. Owner: the Interface, on its
// thread.
#pragma once

#include <ringwall/admin/control.h>
#include <ringwall/admin/shards.h>
#include <ringwall/shard/snapshot.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace ringwall::admin {

struct ShardReport {
  bool is_up = false;  // it answered this time
  shard::Snapshot last{};
};

class Report {
 public:
  explicit Report(const Control& control) : control_(control), shards_(control.shards) {}

  // Asks; may take as long as shard_answer_ms.
  void take(Shards& shards);

  [[nodiscard]] std::string prometheus_text(std::size_t bans) const;
  // What a program that watches wants at a glance: `ringwall top` does.
  [[nodiscard]] std::string status_json() const;

 private:
  const Control& control_;
  std::vector<ShardReport> shards_;
};

}  // namespace ringwall::admin
