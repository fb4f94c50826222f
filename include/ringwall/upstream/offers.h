// offers.h: what the nodes offer, asked again and again, and the answer to rpc_methods made of it.
//
// One for the whole process, with a thread an upstream, so that a silent node costs no other its answer. Each answer is
// published as an immutable text; shards read the newest. An ask that fails keeps the last one. The targets and the
// table outlive it. Its end waits for no node.
#pragma once

#include <ringwall/error.h>
#include <ringwall/rpc/method_table.h>
#include <ringwall/upstream/offer_report.h>
#include <ringwall/upstream/target.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

namespace ringwall::upstream {

struct OfferPace {
  std::uint32_t answer_ms = 5'000;   // for one exchange, from connecting to the answer's end
  std::uint32_t retry_ms = 5'000;    // after a failure
  std::uint32_t again_ms = 600'000;  // after an answer: a node may be upgraded
};

class Offers {
 public:
  // Called on a thread of the Offers', by one at a time. The end waits for it to return.
  using Log = std::function<void(const OfferLine& line)>;

  // A target that is null is not asked. `settings` are those that `table` was made of. Fails when no eventfd or thread
  // can be had.
  [[nodiscard]] static Result<std::unique_ptr<Offers>> start(std::span<const Target* const> targets,
                                                             const rpc::MethodTable& table,
                                                             rpc::MethodSettings settings, Log log,
                                                             OfferPace pace = {});
  Offers(const Offers&) = delete;
  Offers& operator=(const Offers&) = delete;
  ~Offers();

  // The `result` of rpc_methods, as MethodTable::methods_result() makes it: of what the node at that index of `targets`
  // said last, or of nothing known of it. Never null. Any thread.
  [[nodiscard]] std::shared_ptr<const std::string> result_text(std::size_t target_index) const;

 private:
  struct Row {
    mutable std::mutex mutex;  // of text: held to copy or swap the pointer
    std::shared_ptr<const std::string> text;
    std::thread thread;
  };

  Offers(int stop_event, const rpc::MethodTable& table, rpc::MethodSettings settings, Log log, OfferPace pace);
  void run(Row& row, const Target& target);
  void publish(Row& row, const Offer& offer);
  void log_new(const std::vector<OfferLine>& lines, const std::vector<OfferLine>& told);
  [[nodiscard]] bool stops_within(std::uint32_t wait_ms) const;

  const int stop_event_;  // readable from the end on
  const rpc::MethodTable& table_;
  const rpc::MethodSettings settings_;
  const Log log_;
  const OfferPace pace_;
  std::mutex log_mutex_;
  std::vector<std::unique_ptr<Row>> rows_;
};

}  // namespace ringwall::upstream
