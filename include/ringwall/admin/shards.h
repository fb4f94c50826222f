// shards.h: asks all shards the same thing and waits for their answers, but not for long.
//
// A shard that has not answered is not asked again before it has: at most one letter waits with each. Owner: the
// Interface, on its thread.
#pragma once

#include <ringwall/admin/control.h>
#include <ringwall/shard/shard.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <future>
#include <memory>
#include <utility>
#include <vector>

namespace ringwall::admin {

inline constexpr std::chrono::milliseconds shard_answer_ms{1000};

class Shards {
 public:
  explicit Shards(const Control& control) : control_(control) {
    for (std::size_t index = 0; index < control.shards; ++index) {
      busy_.push_back(std::make_shared<std::atomic<bool>>(false));
    }
  }

  [[nodiscard]] std::size_t count() const { return busy_.size(); }

  // It has nothing to say any more: during a drain some end before others.
  [[nodiscard]] bool has_ended(std::size_t index) const { return control_.has_ended(index); }

  // By shard; null where none came in time. `question` is called on each shard's thread, on an Answer of its own.
  template <typename Answer>
  [[nodiscard]] std::vector<std::unique_ptr<Answer>> ask(
      const std::function<void(shard::Shard&, std::size_t index, Answer&)>& question) {
    std::vector<std::future<std::unique_ptr<Answer>>> coming(count());
    for (std::size_t index = 0; index < count(); ++index) {
      if (has_ended(index) || busy_[index]->exchange(true)) continue;
      auto promise = std::make_shared<std::promise<std::unique_ptr<Answer>>>();
      auto answer = std::make_shared<Answer>();
      coming[index] = promise->get_future();
      control_.post(index, [question, index, promise, answer, busy = busy_[index]](shard::Shard& shard) {
        question(shard, index, *answer);
        *busy = false;
        promise->set_value(std::make_unique<Answer>(std::move(*answer)));
      });
    }
    const auto deadline = std::chrono::steady_clock::now() + shard_answer_ms;
    std::vector<std::unique_ptr<Answer>> answers(count());
    for (std::size_t index = 0; index < count(); ++index) {
      if (coming[index].valid() && coming[index].wait_until(deadline) == std::future_status::ready) {
        answers[index] = coming[index].get();
      }
    }
    return answers;
  }

 private:
  const Control& control_;
  std::vector<std::shared_ptr<std::atomic<bool>>> busy_;  // with a letter of ours
};

}  // namespace ringwall::admin
