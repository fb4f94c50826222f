// mailbox.h: what other threads ask of a shard: letters, which are functions that run on its thread between two turns.
//
// In the order they were posted. Who posts a letter signals the shard's event afterwards (Plan::event), which wakes it.
// A letter may take no longer than a handler, and gives its answer away itself (a promise). Letters that a shard has no
// time for any more, since it has stopped, are destroyed with the mailbox. Any thread; a lock is held for a move.
#pragma once

#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace ringwall::shard {

class Shard;
using Letter = std::function<void(Shard&)>;

class Mailbox {
 public:
  void post(Letter letter) {
    const std::lock_guard lock(mutex_);
    letters_.push_back(std::move(letter));
  }

  [[nodiscard]] std::vector<Letter> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(letters_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<Letter> letters_;
};

}  // namespace ringwall::shard
