// offers.h: what the nodes offer, asked again and again, and the answer to rpc_methods made of it.
//
// One for the whole process, with a thread a node, so that a silent node costs no other its answer. Each answer is
// published as an immutable text; shards read the newest. An ask that fails keeps the last one. The targets outlive it.
// Its end waits for no node.
#pragma once

#include <ringwall/error.h>
#include <ringwall/rpc/method_table.h>
#include <ringwall/upstream/offer_report.h>
#include <ringwall/upstream/rounds.h>
#include <ringwall/upstream/target.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

namespace ringwall::upstream {

struct OfferPace {
  std::uint32_t answer_ms = 5'000;   // for one exchange, from connecting to the answer's end
  std::uint32_t retry_ms = 5'000;    // after a failure
  std::uint32_t again_ms = 600'000;  // after an answer: a node may be upgraded
};

class Offers {
 public:
  // `asked`: what of `targets` is asked, until ask_of() says otherwise. `settings` are those that `table` was made of.
  // `log` is called on a thread of the Offers', by one at a time; the end waits for it to return. Fails when no eventfd
  // or thread can be had.
  [[nodiscard]] static Result<std::unique_ptr<Offers>> start(std::span<const Target* const> targets,
                                                             const std::vector<bool>& asked, rpc::MethodTable table,
                                                             rpc::MethodSettings settings, Log log,
                                                             OfferPace pace = {});
  Offers(const Offers&) = delete;
  Offers& operator=(const Offers&) = delete;
  ~Offers();

  // After a reload: what the nodes said last is told anew, by another table. Any thread.
  void change(rpc::MethodTable table, rpc::MethodSettings settings);

  // After a reload: whether that one of `targets` is asked from here on. One that was not is, after retry_ms at most.
  // Any thread.
  void ask_of(std::size_t target_index, bool is_asked);

  // The `result` of rpc_methods, as MethodTable::methods_result() makes it: of what the node at that index of `targets`
  // said last, or of nothing known of it. Never null. Any thread.
  [[nodiscard]] std::shared_ptr<const std::string> result_text(std::size_t target_index) const;

 private:
  struct Row {
    const Target* target = nullptr;
    std::atomic<bool> is_asked = true;
    mutable std::mutex mutex;  // of text: held to copy or swap the pointer
    std::shared_ptr<const std::string> text;
    Offer offer{};                           // under rules_mutex_, and so the next: what was said last
    std::vector<LogLine> told{};             // of it
    std::vector<LogLine> told_of_failure{};  // of its thread
  };

  Offers(rpc::MethodTable table, rpc::MethodSettings settings, Log log, OfferPace pace);
  [[nodiscard]] std::uint32_t ask(Row& row, int stop_event);
  void take(Row& row, const Offer& offer);
  void publish(Row& row);
  void report(Row& row);
  void log_new(const std::vector<LogLine>& lines, const std::vector<LogLine>& told);

  std::mutex rules_mutex_;
  rpc::MethodTable table_;
  rpc::MethodSettings settings_;
  const Log log_;
  const OfferPace pace_;
  std::mutex log_mutex_;
  std::vector<std::unique_ptr<Row>> rows_;
  std::unique_ptr<Rounds> rounds_;  // ends before what its threads use
};

}  // namespace ringwall::upstream
