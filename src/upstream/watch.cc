#include <ringwall/check.h>
#include <ringwall/upstream/watch.h>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <utility>

namespace ringwall::upstream {

namespace {

std::uint64_t monotonic_ns() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

std::vector<BoardGroup> board_groups(const std::vector<WatchedGroup>& groups) {
  std::vector<BoardGroup> made;
  for (const WatchedGroup& group : groups) {
    BoardGroup& row = made.emplace_back(
        BoardGroup{.name = group.name, .nodes = {}, .is_asked = group.interval_ms != 0, .settings = group.settings});
    for (const Target* node : group.nodes) row.nodes.push_back(node->name());
  }
  return made;
}

}  // namespace

Watch::Watch(std::vector<BoardGroup> groups, Log log, int news_event)
    : log_(std::move(log)), news_event_(news_event), board_(std::move(groups)), health_(board_.snapshot()) {}

Watch::~Watch() {
  rounds_.reset();
  close(news_event_);
}

Result<std::unique_ptr<Watch>> Watch::start(std::vector<WatchedGroup> groups, Log log) {
  const int news_event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (news_event < 0) return fail_errno("eventfd", errno);
  std::unique_ptr<Watch> watch(new Watch(board_groups(groups), std::move(log), news_event));
  std::vector<Rounds::Round> rounds;
  bool can_eject = false;
  for (std::size_t group_index = 0; group_index < groups.size(); ++group_index) {
    const WatchedGroup& group = groups[group_index];
    for (Target* node : group.nodes) {
      const std::size_t index = watch->rows_.size();
      Row& row = *watch->rows_.emplace_back(std::make_unique<Row>());
      row.target = node;
      row.group = group_index;
      row.speaks_rpc = group.speaks_rpc;
      row.eject = watch->board_.ejection_terms(index);
      can_eject = can_eject || row.eject.failures != 0;
      if (group.interval_ms == 0) continue;
      rounds.emplace_back(
          [&all = *watch, &row, index, timeout_ms = group.timeout_ms, interval_ms = group.interval_ms](int stop_event) {
            const std::uint64_t begin_ns = monotonic_ns();
            const Observation seen =
                observe(*row.target, row.speaks_rpc.load(std::memory_order_relaxed), stop_event, timeout_ms);
            if (!stops_within(stop_event, 0)) {
              all.change([&](Board& board) { return board.observed(index, seen, monotonic_ns()); });
              if (seen.is_silent) all.tell_silence(index, begin_ns);
            }
            return interval_ms;
          });
    }
  }
  if (can_eject) {
    rounds.emplace_back([&all = *watch](int stop_event) {
      all.tell_news(stop_event);
      return 0U;
    });
  }
  auto started = Rounds::start(std::move(rounds));
  if (!started) return std::unexpected(started.error());
  watch->rounds_ = std::move(*started);
  return watch;
}

template <typename Change>
void Watch::change(Change change) {
  const std::lock_guard lock(mutex_);
  const std::vector<LogLine> lines = change(board_);
  health_.publish(board_.snapshot());
  for (const LogLine& line : lines) log_(line);
}

void Watch::set_speaks_rpc(std::size_t group, bool speaks_rpc) {
  for (const std::unique_ptr<Row>& row : rows_) {
    if (row->group == group) row->speaks_rpc.store(speaks_rpc, std::memory_order_relaxed);
  }
}

void Watch::tell_silence_to(TellSilence tell) {
  const std::lock_guard lock(silence_mutex_);
  on_silence_ = std::move(tell);
}

void Watch::tell_silence(std::size_t node, std::uint64_t since_ns) {
  const bool is_failing = health_.newest()->nodes[node].state == NodeState::failing;
  const std::lock_guard lock(silence_mutex_);
  if (on_silence_) on_silence_({.node = node, .since_ns = since_ns, .is_failing = is_failing});
}

void Watch::failed(std::size_t node, std::uint64_t now_ns) {
  RINGWALL_CHECK(node < rows_.size());
  Row& row = *rows_[node];
  if (row.target->ejection().failed(row.eject, now_ns)) note(row, News::ejected);
}

void Watch::answered(std::size_t node, std::uint64_t now_ns) {
  RINGWALL_CHECK(node < rows_.size());
  Row& row = *rows_[node];
  if (row.target->ejection().answered(row.eject, now_ns)) note(row, News::recovered);
}

void Watch::note(Row& row, News news) {
  row.news.store(news, std::memory_order_release);
  const std::uint64_t one = 1;
  RINGWALL_CHECK(write(news_event_, &one, sizeof one) == sizeof one);
}

// Of what comes twice before this thread looks, the last is told.
void Watch::tell_news(int stop_event) {
  std::array<pollfd, 2> events{
      {{.fd = stop_event, .events = POLLIN, .revents = 0}, {.fd = news_event_, .events = POLLIN, .revents = 0}}};
  (void)poll(events.data(), events.size(), -1);
  std::uint64_t count = 0;
  (void)!read(news_event_, &count, sizeof count);
  for (std::size_t index = 0; index < rows_.size(); ++index) {
    Row& row = *rows_[index];
    const News news = row.news.exchange(News::none, std::memory_order_acquire);
    if (news == News::none) continue;
    change([&](Board& board) {
      const Ejection& ejection = row.target->ejection();
      return news == News::ejected ? board.ejected(index, ejection, monotonic_ns())
                                   : board.recovered(index, ejection, monotonic_ns());
    });
  }
}

std::vector<NodeReport> Watch::report(std::uint64_t now_ns) const {
  const auto health = health_.newest();
  std::vector<NodeReport> rows;
  for (const GroupHealth& group : health->groups) {
    for (std::size_t index = group.first; index < group.first + group.count; ++index) {
      const Target& target = *rows_[index]->target;
      NodeHealth node = health->nodes[index];
      node.ejected_until_ns = target.ejection().until_ns();
      rows.push_back({.target = target,
                      .upstream = group.name,
                      .health = node,
                      .is_healthy = is_healthy(node, group.is_asked, now_ns),
                      .places_taken = target.places_taken()});
    }
  }
  return rows;
}

}  // namespace ringwall::upstream
