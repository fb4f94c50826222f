// watch.h: the health of all nodes, for the whole process: who asks them, who judges, what is published.
//
// A thread a node asks it how it is; shards tell which requests failed, and one thread more tells of what they decided.
// Shards read one published snapshot; only to fetch a new one do they take a lock, for the time that a pointer is
// copied. The targets outlive it. Its end waits for no node. failed() and answered() are for any thread, and take no
// lock: they read one number where all goes well, count where not, and write to an eventfd where a node is ejected or
// comes back.
#pragma once

#include <ringwall/error.h>
#include <ringwall/upstream/board.h>
#include <ringwall/upstream/health.h>
#include <ringwall/upstream/log_line.h>
#include <ringwall/upstream/published.h>
#include <ringwall/upstream/rounds.h>
#include <ringwall/upstream/silence.h>
#include <ringwall/upstream/target.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace ringwall::upstream {

struct WatchedGroup {
  std::string name;  // of the upstream
  std::vector<Target*> nodes;
  bool speaks_rpc = true;         // else a connection is all that is asked for
  std::uint32_t interval_ms = 0;  // between two times that a node is asked; 0: never
  std::uint32_t timeout_ms = 3'000;
  HealthSettings settings{};
};

// A node as others report it: its health and how much of it is in use.
struct NodeReport {
  const Target& target;
  std::string upstream;
  NodeHealth health;
  bool is_healthy;
  std::uint32_t places_taken;
};

class Watch {
 public:
  // `log` is called by one thread at a time, of this one's own. Fails when no thread can be had.
  [[nodiscard]] static Result<std::unique_ptr<Watch>> start(std::vector<WatchedGroup> groups, Log log);
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch();

  // A request that this node did not take, did not answer in time, or answered with what can't be understood. `node`
  // counts through all groups. `now_ns` is of CLOCK_MONOTONIC.
  void failed(std::size_t node, std::uint64_t now_ns);
  void answered(std::size_t node, std::uint64_t now_ns);

  // `tell` is called after each look at a node that was silence, by a thread of this one's own, with a lock held: it
  // does not block. Empty: nobody is told any more, when this returns.
  void tell_silence_to(TellSilence tell);

  // After a reload: as WatchedGroup::speaks_rpc, from the next look on. Any thread.
  void set_speaks_rpc(std::size_t group, bool speaks_rpc);

  [[nodiscard]] const Published<Health>& health() const { return health_; }
  // All nodes, each group's one after the other. `now_ns` is of CLOCK_MONOTONIC.
  [[nodiscard]] std::vector<NodeReport> report(std::uint64_t now_ns) const;

 private:
  enum class News : std::uint8_t { none, ejected, recovered };
  struct Row {
    Target* target;
    std::size_t group;
    EjectionTerms eject;
    std::atomic<bool> speaks_rpc = true;
    std::atomic<News> news = News::none;  // of its ejection, not told yet
  };

  Watch(std::vector<BoardGroup> groups, Log log, int news_event);
  template <typename Change>
  void change(Change change);
  void note(Row& row, News news);
  void tell_news(int stop_event);
  void tell_silence(std::size_t node, std::uint64_t since_ns);

  const Log log_;
  const int news_event_;  // written to once a row has news
  std::mutex mutex_;      // of board_, and of the order in which it is published and told
  Board board_;
  Published<Health> health_;
  std::mutex silence_mutex_;
  TellSilence on_silence_;  // under silence_mutex_
  std::vector<std::unique_ptr<Row>> rows_;
  std::unique_ptr<Rounds> rounds_;  // ends before what its threads use
};

}  // namespace ringwall::upstream
