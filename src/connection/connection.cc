#include <ringwall/connection/connection.h>

#include <ringwall/connection/owned_slice.h>

#include "control.h"

#include <netinet/in.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace ringwall::connection {

namespace {

constexpr int loopback_receive_bytes = 128 * 1024;

bool is_loopback(const ring::SocketAddress& address) {
  if (address.storage.ss_family == AF_INET) {
    return ntohl(reinterpret_cast<const sockaddr_in&>(address.storage).sin_addr.s_addr) >> 24 == 127;
  }
  return IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6&>(address.storage).sin6_addr);
}

}  // namespace

std::string_view name(Failure failure) {
  switch (failure) {
    case Failure::none:
      return "none";
    case Failure::reset:
      return "reset";
    case Failure::refused:
      return "refused";
    case Failure::connect_time:
      return "connect_timeout";
    case Failure::send_time:
      return "send_timeout";
    case Failure::backlog_full:
      return "backlog_full";
    case Failure::transport:
      return "tls";
    case Failure::system:
      return "system";
  }
  return "unknown";
}

Connection::Connection(Resources& resources, Owner& owner) : resources_(resources), owner_(&owner) {}

Connection::~Connection() {
  RINGWALL_CHECK(is_closed());
  RINGWALL_CHECK(!flush_marked_ && !handshake_marked_ && !receive_marked_);
}

void Connection::adopt(int socket, std::unique_ptr<TlsTransport> transport) {
  RINGWALL_CHECK(state_ == State::idle);
  socket_ = socket;
  accepted_ = true;
  transport_ = std::move(transport);
  begin_receiving();
}

void Connection::begin_receiving() {
  state_ = State::open;
  if (transport_ && transport_->speaks_first()) queue_handshake({});
  start_receive();
}

void Connection::connect(const ring::SocketAddress& address, std::uint64_t timeout_ns,
                         std::unique_ptr<TlsTransport> transport, const ring::SocketAddress* source) {
  RINGWALL_CHECK(state_ == State::idle);
  RINGWALL_CHECK(!transport || transport->speaks_first());
  state_ = State::connecting;
  transport_ = std::move(transport);
  ring::Ring& ring = resources_.ring;
  int socket = ring.backend().open_tcp_socket(address.storage.ss_family);
  if (const int bound = socket >= 0 && source ? ring.backend().bind_source(socket, *source) : 0; bound < 0) {
    ring.backend().close_socket(socket);
    socket = bound;
  }
  if (socket < 0) {
    // Told by the timer, since callbacks never come from inside a call.
    last_errno_ = -socket;
    ring.timers().start(timer_, 0);
    return;
  }
  socket_ = socket;
  // A node on this machine fills its window in no time. One far away is held back by the way.
  if (is_loopback(address)) ring.backend().limit_receive_buffer(socket, loopback_receive_bytes);
  ring.backend().limit_unacknowledged(socket, resources_.send_timeout_ns);
  address_ = std::make_unique<ring::SocketAddress>(address);
  io_uring_prep_connect(&ring.prepare(connect_), socket_, address_->get(), address_->bytes);
  ring.timers().start(timer_, ring.now_ns() + timeout_ns);
}

void Connection::on_connect(const ring::Completion& completion) {
  address_.reset();
  if (state_ == State::joining) return close_if_joined();
  RINGWALL_CHECK(state_ == State::connecting);
  timer_.stop();
  if (completion.result < 0) {
    const bool is_ours =
        completion.result == -EMFILE || completion.result == -ENOBUFS || completion.result == -EADDRNOTAVAIL;
    return fail(is_ours ? Failure::system : Failure::refused, -completion.result);
  }
  begin_receiving();
  owner_->on_connected(*this);
}

void Connection::on_timer() {
  switch (state_) {
    case State::connecting:
      return socket_ < 0 ? fail(Failure::system, last_errno_) : fail(Failure::connect_time, ETIMEDOUT);
    case State::open:
    case State::finishing:
      if (std::exchange(waits_for_room_, false)) return mark_for_flush();
      return check_reader();
    case State::lingering:
      return join();
    default:
      RINGWALL_CHECK(!"a timer ran in a state that has none");
  }
}

// Orderly end -------------------------------------------------------------------------------------------------------

void Connection::finish() {
  if (state_ == State::connecting) return abort();
  if (state_ != State::open) return;
  if (transport_ && !transport_->is_established()) return abort();
  state_ = State::finishing;
  paused_ = false;
  mark_for_flush();
  receive_again();
}

void Connection::cut() {
  close_noticed_ = true;
  finish();
}

void Connection::finish_without_transport(std::string_view text) {
  RINGWALL_CHECK(state_ == State::finishing && transport_);
  transport_.reset();
  wire_.push_back(resources_.arena.copy(std::as_bytes(std::span(text))));
  mark_for_flush();
}

void Connection::shut_down_sending() {
  state_ = State::lingering;
  resources_.ring.timers().start(timer_, resources_.ring.now_ns() + resources_.linger_ns);
  if (resources_.ring.backend().shut_down_sending(socket_) < 0 || wire_ended_) join();
}

// Failure and the end -----------------------------------------------------------------------------------------------

void Connection::fail(Failure failure, int number) {
  last_errno_ = number;
  // What was not sent whole must not look complete; what was sent must not be lost to our reset.
  if (state_ == State::finishing) return abort();
  if (state_ == State::lingering) return join();
  if (state_ != State::open && state_ != State::connecting) return;
  if (failure == Failure::transport) {
    // An alert may be on its way; close_notify after it would say that all is well.
    close_noticed_ = true;
    state_ = State::finishing;
    paused_ = false;
    queue_.clear();
    mark_for_flush();
    receive_again();
  } else {
    abort();
  }
  owner_->on_failed(*this, failure);
}

void Connection::abort() {
  if (state_ != State::open && state_ != State::connecting && state_ != State::finishing &&
      state_ != State::lingering) {
    return;
  }
  if (socket_ >= 0) resources_.ring.backend().reset_on_close(socket_);
  join();
}

void Connection::join() {
  state_ = State::joining;
  timer_.stop();
  queue_.clear();
  set_congested(false);
  std::vector<std::byte>().swap(handshake_input_);
  (void)charge_handshake();
  close_if_joined();
}

std::array<ring::Operation*, 4> Connection::operations() { return {&receive_, &send_, &connect_, &hang_up_}; }

void Connection::close_if_joined() {
  RINGWALL_CHECK(state_ == State::joining);
  if (cancel_.in_flight()) return;
  ring::Ring& ring = resources_.ring;
  // One after another, so that one operation for cancelling is enough.
  for (ring::Operation* operation : operations()) {
    if (!operation->in_flight()) continue;
    if (!operation->is_cancelled()) ring.cancel(*operation, cancel_);
    return;
  }
  state_ = State::closing;
  wire_.clear();
  gather_.reset();
  resources_.bytes_dropping -= std::exchange(bytes_dropped_, 0);
  if (socket_ >= 0) {
    io_uring_prep_close(&ring.prepare(close_), socket_);
  } else {
    // There never was a socket: the owner hears of it at once after this, in the next turn.
    io_uring_prep_nop(&ring.prepare(close_));
  }
}

void Connection::on_cancel(const ring::Completion& completion) {
  if (completion.result < 0) {
    // At most one of them has been asked to end, and not ended.
    for (ring::Operation* operation : operations()) operation->note_cancel_failed();
  }
  if (state_ == State::joining) return close_if_joined();
  if (paused_ && receive_.in_flight() && state_ == State::open) cancel_receive();
}

void Connection::on_close(const ring::Completion&) {
  RINGWALL_CHECK(state_ == State::closing);
  state_ = State::closed;
  socket_ = -1;
  if (std::exchange(handshake_marked_, false)) std::erase(resources_.to_handshake, this);
  if (std::exchange(flush_marked_, false)) std::erase(resources_.to_flush, this);
  if (std::exchange(receive_marked_, false)) std::erase(resources_.to_receive, this);
  owner_->on_closed(*this);
}

}  // namespace ringwall::connection
