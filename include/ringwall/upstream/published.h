// published.h: an immutable value that one thread replaces now and then, and others read all the time.
//
// A reader keeps the newest value it has seen, and looks at one counter to know whether there is a newer one: only then
// is a lock taken, to copy a pointer.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace ringwall::upstream {

template <typename T>
class Published {
 public:
  explicit Published(std::shared_ptr<const T> first) : value_(std::move(first)) {}
  Published(const Published&) = delete;
  Published& operator=(const Published&) = delete;

  // Any thread.
  void publish(std::shared_ptr<const T> value) {
    const std::lock_guard lock(mutex_);
    value_.swap(value);
    version_.fetch_add(1, std::memory_order_release);
  }
  [[nodiscard]] std::shared_ptr<const T> newest() const {
    const std::lock_guard lock(mutex_);
    return value_;
  }

  // Of one thread; what is published outlives it.
  class Reader {
   public:
    explicit Reader(const Published& published) : published_(published) {}
    // Valid until the next call.
    [[nodiscard]] const T& get() {
      const std::uint64_t version = published_.version_.load(std::memory_order_acquire);
      if (version != version_) {
        // It may be newer still than that version: then it is copied once more at the next call.
        value_ = published_.newest();
        version_ = version;
      }
      return *value_;
    }

   private:
    const Published& published_;
    std::shared_ptr<const T> value_;
    std::uint64_t version_ = 0;  // that of no value
  };

 private:
  mutable std::mutex mutex_;  // of value_: held to copy or swap the pointer
  std::shared_ptr<const T> value_;
  std::atomic<std::uint64_t> version_ = 1;
};

}  // namespace ringwall::upstream
