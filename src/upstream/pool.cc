#include <ringwall/upstream/pool.h>

#include <algorithm>
#include <utility>

namespace ringwall::upstream {

Pool::Pool(connection::Resources& resources, std::size_t idle_max, std::uint64_t idle_timeout_ns)
    : resources_(resources), idle_max_(idle_max), idle_timeout_ns_(idle_timeout_ns) {}

Pool::~Pool() { RINGWALL_CHECK(is_empty()); }

std::unique_ptr<connection::Connection> Pool::take() {
  if (idle_.empty()) return nullptr;
  std::unique_ptr<connection::Connection> connection = std::move(idle_.back().connection);
  idle_.pop_back();
  return connection;
}

void Pool::put(std::unique_ptr<connection::Connection> connection) {
  if (idle_.size() >= kept_max(idle_max_) || !connection->is_open() || connection->has_ended()) {
    return retire(std::move(connection));
  }
  connection->set_owner(*this);
  connection->resume_receiving();
  idle_.push_back({std::move(connection), resources_.ring.now_ns()});
  if (!timer_.is_running() || idle_.size() == idle_max_ + 1) start_timer();
}

void Pool::retire(std::unique_ptr<connection::Connection> connection) {
  if (connection->is_closed()) return;
  connection->set_owner(*this);
  connection->finish();
  ending_.push_back(std::move(connection));
}

void Pool::stop(bool now) {
  idle_max_ = 0;
  timer_.stop();
  for (Idle& idle : std::exchange(idle_, {})) retire(std::move(idle.connection));
  if (!now) return;
  for (const std::unique_ptr<connection::Connection>& connection : ending_) connection->abort();
}

void Pool::end(connection::Connection& connection) {
  const auto at = std::ranges::find(idle_, &connection, [](const Idle& idle) { return idle.connection.get(); });
  if (at == idle_.end()) return;
  ending_.push_back(std::move(at->connection));
  idle_.erase(at);
  connection.finish();
}

void Pool::on_received(connection::Connection& connection, ring::Slice) { end(connection); }
void Pool::on_ended(connection::Connection& connection, connection::End) { end(connection); }
void Pool::on_failed(connection::Connection& connection, connection::Failure) { end(connection); }

void Pool::on_closed(connection::Connection& connection) {
  const auto removed = std::erase_if(ending_, [&](const auto& ending) { return ending.get() == &connection; });
  RINGWALL_CHECK(removed == 1);
}

// Of the oldest, which is the first that is closed.
std::uint64_t Pool::due_ns() const {
  const std::uint64_t kept_ns = idle_.size() > idle_max_ ? std::min(surplus_ns, idle_timeout_ns_) : idle_timeout_ns_;
  return idle_.front().since_ns + kept_ns;
}

void Pool::start_timer() { resources_.ring.timers().start(timer_, due_ns()); }

void Pool::on_timer() {
  const std::uint64_t now_ns = resources_.ring.now_ns();
  while (!idle_.empty() && due_ns() <= now_ns) end(*idle_.front().connection);
  if (!idle_.empty()) start_timer();
}

}  // namespace ringwall::upstream
