#include "sim/kernel/tcp.h"

#include "sim/kernel/world.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace ringwall::sim {

namespace {

// How long Linux sends again before it gives up (tcp_retries2 = 15).
constexpr std::uint64_t retransmission_ns = 924 * second;
// The first bytes of a connection are where parsers break; later ones come in chunks no smaller than this.
constexpr std::size_t first_bytes = 64 * 1024;
constexpr std::size_t later_chunk_bytes = 4 * 1024;

}  // namespace

// Endpoint ------------------------------------------------------------------------------------------------------------

Endpoint& Endpoint::peer() const { return connection_.ends_[side_ == Side::client ? 1 : 0]; }

const ring::SocketAddress& Endpoint::peer_address() const {
  return connection_.addresses_[side_ == Side::client ? 1 : 0];
}

void Endpoint::notify() const {
  if (changed) changed();
}

int Endpoint::connect_result() {
  if (error_ != 0) return -std::exchange(error_, 0);
  if (dead_) return -ECONNABORTED;
  return established_ ? 0 : -EAGAIN;
}

std::size_t Endpoint::unacknowledged() const {
  return outgoing_.size() + (fin_queued_ && !dead_ && !peer().fin_arrived_ ? 1 : 0);
}

bool Endpoint::is_readable() const { return unread() > 0 || fin_arrived_ || error_ != 0 || read_shut_ || dead_; }

bool Endpoint::is_writable() const {
  if (error_ != 0 || dead_ || fin_queued_) return true;
  return established_ && space() > 0 && space() * 3 >= send_bytes_max_;
}

int Endpoint::end_events() const {
  const bool reads_nothing_more = dead_ || fin_arrived_ || read_shut_;
  int events = error_ != 0 ? POLLERR : 0;
  if (dead_ || (reads_nothing_more && fin_queued_)) events |= POLLHUP;
  if (reads_nothing_more) events |= POLLRDHUP;
  return events;
}

long Endpoint::read(std::span<std::byte> into) {
  if (unread() > 0) {
    const std::size_t count = std::min(into.size(), unread());
    std::ranges::copy(arrived_.front(count), into.begin());
    arrived_.drop(count);
    peer().deliver_later(connection_.one_way_ns());
    return static_cast<long>(count);
  }
  if (fin_arrived_) return 0;
  if (error_ != 0) return -std::exchange(error_, 0);
  return read_shut_ || dead_ ? 0 : -EAGAIN;
}

long Endpoint::write(std::span<const std::byte> from) {
  if (error_ != 0) return -std::exchange(error_, 0);
  if (dead_ || fin_queued_) return -EPIPE;
  if (from.empty()) return 0;
  if (!established_ || space() == 0) return -EAGAIN;
  const std::size_t count = std::min(from.size(), space());
  outgoing_.append(from.first(count));
  deliver_later(connection_.one_way_ns());
  return static_cast<long>(count);
}

int Endpoint::shut_down(int how) {
  const bool is_over = fin_arrived_ && fin_queued_ && peer().fin_arrived_;
  if (!established_ || dead_ || is_over) return -ENOTCONN;
  if (how != SHUT_WR) read_shut_ = true;
  if (how != SHUT_RD) queue_fin();
  notify();
  return 0;
}

void Endpoint::close() {
  if (std::exchange(closed_, true)) return;
  changed = nullptr;
  if (dead_ || vanished_) return;
  if (!established_) {
    dead_ = true;
  } else if (unread() > 0) {
    send_reset();
  } else {
    queue_fin();
  }
}

void Endpoint::reset() {
  if (!closed_ && !dead_ && !vanished_ && established_) send_reset();
  close();
}

void Endpoint::vanish() {
  vanished_ = true;
  outgoing_.clear();
  peer().expire_later();
}

void Endpoint::queue_fin() {
  fin_queued_ = true;
  deliver_later(connection_.one_way_ns());
}

void Endpoint::send_reset() {
  dead_ = true;
  outgoing_.clear();
  connection_.world_.events().after(connection_.one_way_ns(), [connection = connection_.shared_from_this(), this] {
    if (!vanished_) peer().receive_reset();
  });
}

void Endpoint::receive_reset() {
  if (dead_ || vanished_) return;
  dead_ = true;
  outgoing_.clear();
  error_ = !established_ ? ECONNREFUSED : fin_arrived_ ? EPIPE : ECONNRESET;
  notify();
}

void Endpoint::fail_connect(int number) {
  if (dead_) return;
  dead_ = true;
  error_ = number;
  notify();
}

void Endpoint::deliver_later(std::uint64_t delay_ns) {
  if (delivery_due_ || dead_ || vanished_) return;
  if (peer().vanished_) return expire_later();
  if (outgoing_.empty() && (!fin_queued_ || peer().fin_arrived_)) return;
  if (!outgoing_.empty() && peer().arrived_.size() >= peer().receive_bytes_max_ && !peer().closed_) return;
  delivery_due_ = true;
  connection_.world_.events().after(delay_ns, [connection = connection_.shared_from_this(), this] { deliver(); });
}

void Endpoint::deliver() {
  delivery_due_ = false;
  Endpoint& to = peer();
  if (dead_ || vanished_ || to.vanished_) return deliver_later(0);
  if (!to.established_) return deliver_later(connection_.one_way_ns());
  if (to.dead_) return;  // its reset is on the way here
  if (!outgoing_.empty()) {
    if (to.closed_ || (to.read_shut_ && to.fin_queued_)) {
      to.error_ = ECONNRESET;
      to.send_reset();
      return to.notify();
    }
    const std::size_t room = to.receive_bytes_max_ - to.arrived_.size();
    const std::size_t count = std::min({outgoing_.size(), room, connection_.chunk_bytes()});
    to.arrived_.append(outgoing_.front(count));
    outgoing_.drop(count);
    connection_.count_delivered(count);
  }
  if (outgoing_.empty() && fin_queued_ && !dead_) to.fin_arrived_ = true;
  to.notify();
  notify();
  deliver_later(connection_.world_.random().below(20 * microsecond));
}

void Endpoint::expire_later() {
  if (dead_ || outgoing_.empty() || std::exchange(expiry_due_, true)) return;
  connection_.world_.events().after(retransmission_ns, [connection = connection_.shared_from_this(), this] {
    if (dead_) return;
    dead_ = true;
    outgoing_.clear();
    error_ = ETIMEDOUT;
    notify();
  });
}

// Connection ----------------------------------------------------------------------------------------------------------

Connection::Connection(World& world, const ring::SocketAddress& client, const ring::SocketAddress& server)
    : world_(world),
      addresses_{client, server},
      ends_{Endpoint(*this, Side::client), Endpoint(*this, Side::server)},
      latency_ns_(world.random().skewed(5 * microsecond, world.paths().latency_ns_max)),
      chunk_bytes_max_(world.random().skewed(1, world.paths().chunk_bytes_max)) {
  const Paths& paths = world.paths();
  for (Endpoint& end : ends_) {
    end.send_bytes_max_ = world.random().skewed(paths.buffer_bytes_min, paths.buffer_bytes_max);
    end.receive_bytes_max_ = world.random().skewed(paths.buffer_bytes_min, paths.buffer_bytes_max);
  }
}

std::shared_ptr<Endpoint> Connection::end(Side side) {
  return {shared_from_this(), &ends_[side == Side::client ? 0 : 1]};
}

bool Connection::is_wanted() const { return !ends_[0].closed_ && !ends_[0].dead_ && !ends_[0].vanished_; }

std::uint64_t Connection::one_way_ns() { return latency_ns_ + world_.random().below(latency_ns_ / 2 + 1); }

void Connection::establish_server() {
  ends_[1].established_ = true;
  ends_[1].notify();
  if (!world_.random().chance(world_.faults().connection_reset)) return;
  if (world_.random().below(2) == 0) {
    reset_after_bytes_ = world_.random().skewed(0, 256 * 1024);
  } else {
    world_.events().after(world_.random().skewed(0, 20 * second), [self = shared_from_this()] { self->strike(); });
  }
}

void Connection::establish_client() {
  Endpoint& client = ends_[0];
  if (client.dead_ && !client.closed_) return;
  client.established_ = true;
  if (client.closed_ || client.vanished_) {
    client.send_reset();
  } else {
    client.notify();
  }
}

void Connection::fail_connect(int number) { ends_[0].fail_connect(number); }

std::size_t Connection::chunk_bytes() {
  const std::size_t most = delivered_ < first_bytes ? chunk_bytes_max_ : std::max(chunk_bytes_max_, later_chunk_bytes);
  return world_.random().below(2) == 0 ? most : world_.random().skewed(1, most);
}

void Connection::count_delivered(std::size_t bytes) {
  delivered_ += bytes;
  if (delivered_ >= reset_after_bytes_) strike();
}

void Connection::strike() {
  reset_after_bytes_ = SIZE_MAX;
  world_.trace("the path resets a connection after %ld bytes", delivered_);
  const bool client_first = world_.random().below(2) == 0;
  for (const int index : {client_first ? 0 : 1, client_first ? 1 : 0}) ends_[index].receive_reset();
}

}  // namespace ringwall::sim
