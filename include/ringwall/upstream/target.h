// target.h: a node: where it is, as DNS last said, and how much of it is in use.
//
// One Target a node for the whole process. A resolver thread looks its name up again and again and publishes the
// answer as an immutable list; shards read the newest one when they connect. An address literal is never looked up.
// A look-up that fails keeps the last answer: a node does not vanish because DNS does.
// Source: getaddrinfo(3).
#pragma once

#include <ringwall/ring/backend.h>
#include <ringwall/upstream/ejection.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace ringwall::upstream {

using Addresses = std::vector<ring::SocketAddress>;

inline constexpr std::size_t cache_line_bytes = 64;  // of x86-64 and most of arm64

class Target {
 public:
  // `name` is what people are told. `host` is a DNS name or an address literal without brackets.
  Target(std::string name, std::string host, std::uint16_t port, std::uint32_t connections_max);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] bool is_literal() const { return literal_; }

  // The newest list; empty while the name has never been found. Any thread.
  [[nodiscard]] std::shared_ptr<const Addresses> addresses() const;

  // Looks the name up and publishes. Blocks. Returns 0, or a code for gai_strerror.
  int resolve();

  // A place among the WebSocket connections to this node, over all shards. False: `connections_max` are open.
  [[nodiscard]] bool take_place();
  [[nodiscard]] std::uint32_t places_taken() const { return places_taken_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::uint32_t connections_max() const { return connections_max_; }
  void give_back_place() { places_taken_.fetch_sub(1, std::memory_order_relaxed); }
  // A request of HTTP that is under way, where there are several nodes to choose from.
  void begin_request() { requests_.fetch_add(1, std::memory_order_relaxed); }
  void end_request() { requests_.fetch_sub(1, std::memory_order_relaxed); }
  // What the choice of the least compares.
  [[nodiscard]] std::uint64_t load() const {
    return std::uint64_t{places_taken()} + requests_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] Ejection& ejection() { return ejection_; }
  [[nodiscard]] const Ejection& ejection() const { return ejection_; }
  // Of its host and port: the same in each process, wherever it stands in a list.
  [[nodiscard]] std::uint64_t identity() const { return identity_; }

 private:
  friend class Resolver;
  void publish(std::shared_ptr<const Addresses> addresses);

  const std::string name_;
  const std::string host_;
  const std::uint16_t port_;
  const std::uint32_t connections_max_;  // 0: no cap
  const std::uint64_t identity_;
  bool literal_ = false;
  // What shards write has lines of its own, so that it takes nothing from their caches that they only read. Not one for
  // each shard: the choice would have to read them all, and every one of them would be another core's.
  alignas(cache_line_bytes) std::atomic<std::uint32_t> places_taken_ = 0;
  alignas(cache_line_bytes) std::atomic<std::uint32_t> requests_ = 0;
  alignas(cache_line_bytes) Ejection ejection_;
  alignas(cache_line_bytes) mutable std::mutex mutex_;  // of addresses_: held to copy or swap the pointer
  std::shared_ptr<const Addresses> addresses_;
};

// The threads that keep targets resolved, one a name: a name that DNS is silent about costs no other its answer. The
// constructor waits for the first answers, but no longer than `first_answers_ms`: a name that is not found, or not in
// time, is no error. The end waits for no look-up that is under way; its answer is dropped.
class Resolver {
 public:
  struct Row {
    Target* target;
    std::uint32_t interval_s;
  };

  explicit Resolver(const std::vector<Row>& rows, std::uint32_t first_answers_ms = 2000);
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;
  ~Resolver();

  // 0, or the errno of the thread that could not be made: then there is no use in this resolver.
  [[nodiscard]] int error() const { return error_; }

 private:
  // What the threads share; one of them may outlive the resolver within a look-up.
  struct Work {
    std::mutex mutex;
    std::condition_variable wake;  // it is time to stop
    std::condition_variable answered;
    std::size_t first_answers_due = 0;
    bool stopping = false;  // no target is touched any more
  };
  struct Thread {
    std::thread thread;
    std::shared_ptr<bool> looking_up = std::make_shared<bool>(false);  // under the mutex
  };
  static void run(const std::shared_ptr<Work>& work, Row row, const std::shared_ptr<bool>& looking_up);

  std::shared_ptr<Work> work_ = std::make_shared<Work>();
  std::vector<Thread> threads_;
  int error_ = 0;
};

}  // namespace ringwall::upstream
