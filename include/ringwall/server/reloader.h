// reloader.h: the thread that reads the configuration again, so that no other waits for files or for shards.
//
// One reload at a time. Who asks while one is under way gets another one after it, since it may have read what has
// changed meanwhile before it did; all who wait share that. Owner: the server.
#pragma once

#include <ringwall/admin/control.h>
#include <ringwall/error.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ringwall::server {

class Reloader {
 public:
  using Outcome = Result<std::string>;
  using Done = std::function<void(const Outcome&)>;

  // `reload` is called on the thread alone.
  explicit Reloader(std::function<Outcome()> reload) : reload_(std::move(reload)) {}
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;
  ~Reloader() { stop(); }

  // Fails when no thread can be had.
  [[nodiscard]] Result<void> start();
  // Any thread. `done` is called once: on the thread, or here after stop().
  void ask(Done done);
  // Waits for the one that is under way; those who wait for another are refused.
  void stop();
  // Any thread.
  [[nodiscard]] admin::Reloads counts() const { return {.ok = ok_.load(), .refused = refused_.load()}; }

 private:
  void run();

  const std::function<Outcome()> reload_;
  std::mutex mutex_;  // of the next two
  std::vector<Done> waiting_;
  bool stopping_ = false;
  std::condition_variable changed_;
  std::atomic<std::uint64_t> ok_ = 0;
  std::atomic<std::uint64_t> refused_ = 0;
  std::thread thread_;
};

}  // namespace ringwall::server
