// The receiving half of a Connection: buffers of the ring, the transport, fairness between connections.
#include <ringwall/connection/connection.h>

#include <ringwall/connection/owned_slice.h>

#include "control.h"

#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace ringwall::connection {

namespace {

// A client that sends more than this ahead of its handshake has its receive paused.
constexpr std::size_t handshake_input_bytes_max = 32 * 1024;
// Of the shard's buffers in one turn; a connection that takes more goes on when all others have had their chance.
constexpr unsigned share_divisor = 4;
// A multishot receive takes all that comes before it can be stopped, up to all buffers. So a connection is read one
// buffer at a time, so often, where it should not be read far ahead: after it took more than its share, until it is
// known whether its reader takes that; and after a pause. (With 16 instead of 64, a slow TLS reader came to hold 2 MiB
// of the backlog.)
constexpr std::uint8_t gentle_receives_after_share = 4;
constexpr std::uint8_t gentle_receives_after_pause = 64;
// Of bulk, one large buffer at a time is less: once so many small ones were taken without another pause.
constexpr std::uint8_t gentle_receives_before_bulk = 32;

constexpr auto record_of_data = static_cast<std::uint8_t>(tls::ContentType::application_data);

// A record that the kernel could not open: a wrong tag, no record at all, one that is too long.
bool is_tls_error(int number) { return number == EBADMSG || number == EINVAL || number == EMSGSIZE; }

}  // namespace

bool Connection::wants_input() const {
  if (wire_ended_ || deaf_ || socket_ < 0) return false;
  return (state_ == State::open && !paused_) || state_ == State::finishing || state_ == State::lingering;
}

void Connection::start_receive() {
  if (control_waits_) return start_control_receive();
  std::optional<std::size_t> at_most;
  if (transport_ && state_ == State::open && !peer_ended_) {
    transport_->offer_receiving(resources_.ring.backend(), socket_);
    at_most = transport_->receive_at_most();
  }
  io_uring_sqe& entry = resources_.ring.prepare(receive_);
  bulk_receive_ = expects_bulk_ && !at_most && resources_.large_buffers->available() > 0 &&
                  gentle_receives_ <= gentle_receives_after_pause - gentle_receives_before_bulk;
  if (bulk_receive_) {
    io_uring_prep_recv(&entry, socket_, nullptr, 0, 0);
    entry.ioprio |= IORING_RECVSEND_POLL_FIRST;  // or it would take the little that is there
  } else if (at_most || gentle_receives_ > 0) {
    io_uring_prep_recv(&entry, socket_, nullptr, at_most.value_or(0), 0);
  } else {
    io_uring_prep_recv_multishot(&entry, socket_, nullptr, 0, 0);
  }
  entry.flags |= IOSQE_BUFFER_SELECT;
  entry.buf_group = (bulk_receive_ ? *resources_.large_buffers : resources_.buffers).group();
}

// A receive takes all that is there the moment the kernel gets it. So one that took too much goes to the kernel behind
// all that ended in the same turn, who may have found no buffer left.
void Connection::receive_again() {
  if (receive_.in_flight() || !wants_input()) return;
  // What the handshake leaves may end inside a record: what is received next depends on it.
  if (handshake_marked_ && state_ == State::open && transport_->receive_at_most()) return;
  if (!share_exceeded_) return start_receive();
  if (!std::exchange(receive_marked_, true)) resources_.to_receive.push_back(this);
}

void Connection::cancel_receive() {
  if (!cancel_.in_flight() && !receive_.is_cancelled()) resources_.ring.cancel(receive_, cancel_);
}

void Connection::expect(std::uint64_t bytes) {
  if (resources_.large_buffers == nullptr || state_ != State::open) return;
  const std::uint32_t large_bytes = resources_.large_buffers->buffer_bytes();
  const bool bulk = bytes >= large_bytes;
  if (std::exchange(expects_bulk_, bulk) == bulk) return;
  // Not all of it: what comes while half is handled fills the other half.
  resources_.ring.backend().wait_for_bytes(socket_, bulk ? static_cast<int>(large_bytes / 2) : 1);
  if (bulk && gentle_receives_ == 0 && receive_.in_flight() && !bulk_receive_) cancel_receive();
}

void Connection::pause_receiving() {
  paused_ = true;
  gentle_receives_ = gentle_receives_after_pause;
  if (state_ != State::open) return;
  // A reset that came while it was read may still be behind bytes: told at the turn's end.
  if (lost_ && !std::exchange(receive_marked_, true)) resources_.to_receive.push_back(this);
  if (receive_.in_flight()) cancel_receive();
  // Once armed it stays: most sockets are paused more than once or never. It is edge-triggered: a reset that comes
  // after a FIN is told too.
  if (hang_up_.in_flight() || lost_) return;
  io_uring_prep_poll_multishot(&resources_.ring.prepare(hang_up_), socket_, 0);
}

// A FIN is told by the receive, in its order after the bytes before it.
void Connection::on_hang_up(const ring::Completion& completion) {
  if (state_ == State::joining) return close_if_joined();
  if (completion.result < 0 || (completion.result & (POLLERR | POLLHUP)) == 0) return;
  if (transport_ && transport_->receives_in_kernel()) {
    // It may be no reset, but a record that the kernel could not read.
    const int error = resources_.ring.backend().take_error(socket_);
    if (is_tls_error(error)) return bad_record(error);
  }
  lost_ = true;
  if (state_ == State::open && paused_) owner_->on_lost(*this);
}

void Connection::resume_receiving() {
  paused_ = false;
  receive_again();
}

void Connection::count_share() {
  const std::uint64_t turn = resources_.ring.counters().turns;
  if (share_turn_ != turn) {
    share_turn_ = turn;
    share_taken_ = 0;
  }
  if (++share_taken_ != std::max(resources_.buffers.count() / share_divisor, 1U)) return;
  share_exceeded_ = true;
  gentle_receives_ = std::max(gentle_receives_, gentle_receives_after_share);
  ++resources_.counters.share_exceeded;
  if (receive_.in_flight()) cancel_receive();
}

void Connection::on_receive(const ring::Completion& completion) {
  if (control_receive_) return on_control_received(completion);
  const int result = completion.result;
  ring::Slice bytes;
  if (completion.has_buffer()) {
    bytes = (bulk_receive_ ? *resources_.large_buffers : resources_.buffers)
                .take(completion.buffer_id(), static_cast<std::size_t>(std::max(result, 0)));
  }
  if (state_ == State::joining) {
    if (completion.is_last()) close_if_joined();
    return;
  }
  if (result > 0) {
    bytes_received_ += static_cast<unsigned>(result);
    byte_counters().received += static_cast<unsigned>(result);
    if (gentle_receives_ > 0) --gentle_receives_;
    count_share();
    if (state_ == State::open) wire_received(std::move(bytes));
    // Of a cancel that came too late.
    if (!completion.is_last() && state_ == State::open && transport_ && transport_->receive_at_most()) cancel_receive();
  } else if (result == 0) {
    wire_ended_ = true;
    // What came before it and waits for its handshake comes first, unless that cannot get anywhere: who has not heard
    // us yet has not finished.
    if (!handshake_marked_ || bytes_sent_ == 0) ended(End::fin);
  } else {
    receive_failed(-result);
  }
  receive_again();
}

void Connection::receive_failed(int number) {
  const bool kernel_opens = transport_ && transport_->receives_in_kernel();
  if (number == ECANCELED || number == EINTR || number == EAGAIN) return;
  if (number == ENOBUFS) {
    ++resources_.counters.buffers_ran_out;
  } else if (kernel_opens && number == EIO) {
    control_waits_ = true;
  } else if (kernel_opens && number == EKEYEXPIRED) {
    // Linux since 6.14, from the first byte of a KeyUpdate until it gets the next key: this one came in parts, or is
    // refused.
    transport_told(TlsTransport::Progress::spent);
  } else if (kernel_opens && is_tls_error(number)) {
    bad_record(number);
  } else {
    fail(number == ECONNRESET || number == ETIMEDOUT || number == EPIPE ? Failure::reset : Failure::system, number);
  }
}

// Nothing more can be received, but what we have to say still leaves, once the error has been taken off the socket. To
// ask for more would put it there again.
void Connection::bad_record(int number) {
  deaf_ = true;
  (void)resources_.ring.backend().take_error(socket_);
  if (state_ != State::open) return;
  transport_->note_bad_record(number);
  fail(Failure::transport, number);
}

void Connection::ended(End how) {
  if (state_ == State::open && !peer_ended_) {
    peer_ended_ = true;
    owner_->on_ended(*this, how);
  } else if (state_ == State::lingering && wire_ended_) {
    join();
  }
}

void Connection::wire_received(ring::Slice wire) {
  if (!transport_) return owner_->on_received(*this, std::move(wire));
  if (transport_->receives_in_kernel()) return take_record(record_of_data, std::move(wire));
  if (transport_->is_established()) return open_wire(std::move(wire));
  queue_handshake(wire.bytes());
  if (handshake_input_.size() > handshake_input_bytes_max) {
    pause_receiving();
    if (!charge_handshake()) return fail(Failure::backlog_full, ENOBUFS);
  }
}

void Connection::begin_transport(std::unique_ptr<TlsTransport> transport, std::span<const std::byte> first_bytes) {
  RINGWALL_CHECK(state_ == State::open && !transport_);
  RINGWALL_CHECK(queue_.empty() && wire_.empty() && bytes_sent_ == 0);
  transport_ = std::move(transport);
  if (!first_bytes.empty() || transport_->speaks_first()) queue_handshake(first_bytes);
  if (receive_.in_flight() && transport_->receive_at_most()) cancel_receive();
}

void Connection::queue_handshake(std::span<const std::byte> wire) {
  handshake_input_.insert(handshake_input_.end(), wire.begin(), wire.end());
  if (!std::exchange(handshake_marked_, true)) resources_.to_handshake.push_back(this);
}

// What came ahead of a handshake's turn beyond what is counted to every connection.
bool Connection::charge_handshake() {
  const std::size_t due = handshake_input_.capacity() > handshake_input_bytes_max ? handshake_input_.capacity() : 0;
  resources_.backlog.give_back(share_, std::exchange(handshake_charged_, 0));
  if (!resources_.backlog.take(share_, due)) return false;
  handshake_charged_ = due;
  return true;
}

void Connection::run_handshake() {
  handshake_marked_ = false;
  if (state_ != State::open) return receive_again();
  std::vector<std::byte> input = std::exchange(handshake_input_, {});
  (void)charge_handshake();
  const std::span<std::byte> bytes = input;
  open_wire(make_owned_slice(std::move(input), bytes, ring::Lifetime::turn));
  if (paused_ && state_ == State::open && !transport_->is_established()) resume_receiving();
  if (wire_ended_) return ended(End::fin);
  receive_again();
}

void Connection::open_wire(ring::Slice wire) {
  while (state_ == State::open && !peer_ended_) {
    ring::Slice plaintext;
    const TlsTransport::Progress progress = transport_->open(wire, plaintext, wire_);
    if (!wire_.empty()) mark_for_flush();
    switch (progress) {
      case TlsTransport::Progress::established:
        if (paused_) resume_receiving();
        owner_->on_established(*this);
        break;
      case TlsTransport::Progress::plaintext:
        owner_->on_received(*this, std::move(plaintext));
        break;
      default:
        return transport_told(progress);
    }
  }
}

void Connection::transport_told(TlsTransport::Progress progress) {
  switch (progress) {
    case TlsTransport::Progress::ended:
      return ended(End::close_notify);
    case TlsTransport::Progress::spent:
      deaf_ = true;
      if (state_ == State::open) owner_->on_spent(*this, Spent::receiving);
      return;
    case TlsTransport::Progress::failed:
      return fail(Failure::transport, 0);
    default:
      return;
  }
}

// Of a kernel that opens records: any but application data are only given out with their type.
void Connection::start_control_receive() {
  control_waits_ = false;
  control_receive_ = std::make_unique<ControlReceive>();
  control_receive_->message.prepare_receive(resources_.ring.prepare(receive_), socket_, control_receive_->bytes);
}

void Connection::take_record(std::uint8_t type, ring::Slice content) {
  if (peer_ended_) return;
  const TlsTransport::Progress progress =
      transport_->take_record(type, content.bytes(), resources_.ring.backend(), socket_);
  if (progress == TlsTransport::Progress::plaintext) return owner_->on_received(*this, std::move(content));
  transport_told(progress);
  if (transport_->control_due(false)) mark_for_flush();
}

void Connection::on_control_received(const ring::Completion& completion) {
  const std::unique_ptr<ControlReceive> received = std::move(control_receive_);
  if (state_ == State::joining) return close_if_joined();
  const int result = completion.result;
  const std::optional<std::uint8_t> type = result >= 0 ? received->message.record_type() : std::nullopt;
  if (type) {
    const auto content = std::span<const std::byte>(received->bytes).first(static_cast<std::size_t>(result));
    if (state_ == State::open) take_record(*type, resources_.arena.copy(content));
  } else if (result == 0) {
    wire_ended_ = true;
    ended(End::fin);
  } else {
    receive_failed(-result);
  }
  receive_again();
}

bool Resources::end_turn() {
  drop_hoarders();
  const std::size_t handshakes = std::min<std::size_t>(to_handshake.size(), handshakes_per_turn);
  for (std::size_t index = 0; index < handshakes; ++index) to_handshake[index]->run_handshake();
  to_handshake.erase(to_handshake.begin(), to_handshake.begin() + static_cast<std::ptrdiff_t>(handshakes));
  if (!to_handshake.empty()) ++counters.handshakes_waited;

  // A flush that fails may make its owner send on other connections: they are flushed in this turn too.
  for (std::size_t index = 0; index < to_flush.size(); ++index) to_flush[index]->flush();
  to_flush.clear();
  to_flush.swap(to_flush_next);

  for (Connection* connection : std::exchange(to_receive, {})) {
    connection->receive_marked_ = connection->share_exceeded_ = false;
    if (connection->lost_ && connection->paused_ && connection->state_ == Connection::State::open) {
      connection->owner_->on_lost(*connection);
    } else {
      connection->receive_again();
    }
  }
  return !to_handshake.empty() || !to_flush.empty();
}

}  // namespace ringwall::connection
