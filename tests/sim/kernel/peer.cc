#include "sim/kernel/peer.h"

#include <ringwall/check.h>

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace ringwall::sim {

namespace {

constexpr std::uint64_t thinking_ns_max = 50 * microsecond;
constexpr std::size_t piece_bytes = 16 * 1024;

}  // namespace

Peer::Peer(World& world, std::shared_ptr<Endpoint> accepted) : world_(world) { attach(std::move(accepted)); }

void Peer::attach(std::shared_ptr<Endpoint> endpoint) {
  endpoint_ = std::move(endpoint);
  endpoint_->changed = [this] { act_later(world_.random().below(thinking_ns_max)); };
}

void Peer::connect(const ring::SocketAddress& to, const ring::SocketAddress& from) {
  RINGWALL_CHECK(endpoint_ == nullptr);
  attach(world_.connect(from, to));
}

void Peer::send(std::string_view bytes) { send(std::as_bytes(std::span(bytes))); }

void Peer::send(std::span<const std::byte> bytes) {
  outbox_.append(bytes);
  act_later(world_.random().below(thinking_ns_max));
}

void Peer::half_close() {
  half_close_wanted_ = true;
  act_later(world_.random().below(thinking_ns_max));
}

void Peer::close() {
  if (!endpoint_) return;
  endpoint_->changed = nullptr;
  std::exchange(endpoint_, nullptr)->close();
}

void Peer::reset() {
  if (!endpoint_) return;
  endpoint_->changed = nullptr;
  std::exchange(endpoint_, nullptr)->reset();
}

void Peer::vanish() {
  if (!endpoint_) return;
  endpoint_->changed = nullptr;
  std::exchange(endpoint_, nullptr)->vanish();
}

void Peer::read_slowly(std::size_t bytes, std::uint64_t interval_ns) {
  read_bytes_ = bytes;
  read_interval_ns_ = interval_ns;
  read_next_ns_ = world_.events().now_ns();
  act_later(world_.random().below(thinking_ns_max));
}

// Only the earliest counts: a slow reader still writes at once.
void Peer::act_later(std::uint64_t delay_ns) {
  const std::uint64_t due_ns = world_.events().now_ns() + delay_ns;
  if (!endpoint_ || act_due_ns_ <= due_ns) return;
  act_due_ns_ = due_ns;
  world_.events().after(delay_ns, [this, due_ns, alive = std::weak_ptr<char>(alive_)] {
    if (!alive.expired() && act_due_ns_ == due_ns) act();
  });
}

void Peer::act() {
  act_due_ns_ = EventQueue::never;
  if (!endpoint_ || error_ != 0) return;
  bool is_news = false;
  if (!connected_) {
    const int result = endpoint_->connect_result();
    if (result == -EAGAIN) return;
    connected_ = result == 0;
    error_ = -result;
    is_news = true;
  }
  if (error_ == 0 && !write_some()) is_news = true;
  if (error_ == 0 && read_some()) is_news = true;
  if (is_news && on_event) on_event(*this);
}

// Returns false when that failed. An error of writing is told, but what has arrived is still to be read.
bool Peer::write_some() {
  while (!outbox_.empty()) {
    const long count = endpoint_->write(outbox_.front(std::min(outbox_.size(), piece_bytes)));
    if (count == -EAGAIN) return true;
    if (count < 0) {
      outbox_.clear();
      while (endpoint_->unread() > 0 && read_some()) {
      }
      error_ = static_cast<int>(-count);
      return false;
    }
    outbox_.drop(static_cast<std::size_t>(count));
  }
  if (half_close_wanted_ && !std::exchange(half_closed_, true)) (void)endpoint_->shut_down(SHUT_WR);
  return true;
}

// Returns whether there was anything: bytes, the end, or an error.
bool Peer::read_some() {
  if (ended_ || read_bytes_ == 0) return false;
  const std::uint64_t now_ns = world_.events().now_ns();
  if (now_ns < read_next_ns_) {
    act_later(read_next_ns_ - now_ns);
    return false;
  }
  bool is_news = false;
  std::array<std::byte, piece_bytes> piece;
  for (std::size_t left = read_bytes_; left > 0;) {
    const long count = endpoint_->read(std::span(piece).first(std::min(piece.size(), left)));
    if (count == -EAGAIN) return is_news;
    is_news = true;
    if (count <= 0) {
      ended_ = count == 0;
      error_ = static_cast<int>(-count);
      return true;
    }
    received_.append(reinterpret_cast<const char*>(piece.data()), static_cast<std::size_t>(count));
    left -= static_cast<std::size_t>(count);
  }
  read_next_ns_ = now_ns + read_interval_ns_;
  act_later(read_interval_ns_);
  return is_news;
}

}  // namespace ringwall::sim
